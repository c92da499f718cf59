# SPDX-License-Identifier: Apache-2.0
"""Ranking texts against embeddings: scores, and large banks searched through int8 codes."""
