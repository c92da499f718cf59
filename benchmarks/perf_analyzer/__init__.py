# SPDX-License-Identifier: Apache-2.0
"""Recipes for Triton's own load generator, on real frames, phrases and chunks."""
