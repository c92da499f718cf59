# SPDX-License-Identifier: Apache-2.0
"""The drawn world, and the tiny SigLIP checkpoint that is trained on it."""
