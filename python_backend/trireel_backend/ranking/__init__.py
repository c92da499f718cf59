# SPDX-License-Identifier: Apache-2.0
"""Embeddings against texts: scores, and large banks searched in bytes."""
