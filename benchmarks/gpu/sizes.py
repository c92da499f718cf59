# SPDX-License-Identifier: Apache-2.0
"""The towers that are measured, and in which batches."""

from benchmarks.common.sizes import SO400M, TINY, Size

__all__ = ["BATCHES", "MOST_FRAMES", "SIZES", "Size"]

BATCHES = (16, 64, 256)
"""Frames in a request, and in a pass of the loop without a server."""
MOST_FRAMES = max(BATCHES)
SIZES = {size.name: size for size in (SO400M, TINY)}
