# SPDX-License-Identifier: Apache-2.0
"""Limits on the work of a video, beyond which it is rejected."""

from dataclasses import dataclass

MAX_FRAME_PIXELS = 8192 * 8192
MAX_VIDEO_PIXELS = 20_000_000_000_000  # 4 hours of 8K at 30 fps, 10 of 4K at 60, 40 of 1080p at 60
TIMEOUT_SECONDS = 120.0
MEMORY_BYTES = 4 * 2**30
SECOND_VIEWS_BYTES = 2**26  # in one request: 40 s at 400 frames a second of 48 x 27
OPEN_VIDEOS_BYTES = 256 * 2**20  # some 50 of 384 x 384, 4 of 1080p, 1 of 4K


@dataclass(frozen=True)
class ExtractionLimits:
    """Operator's limits on the decoding of a video."""

    max_frame_pixels: int = MAX_FRAME_PIXELS
    """Most pixels of one frame; a decompression bomb is rejected before its memory is allocated."""
    max_video_pixels: int = MAX_VIDEO_PIXELS
    """Most width x height x frames of a video, by its header and at most what its size can hold."""
    timeout_seconds: float = TIMEOUT_SECONDS
    """Time limit in seconds for a probe, and for each chunk of a request, up to four chunks."""
    memory_bytes: int = MEMORY_BYTES
    """Memory in bytes that the decoding process may use, including all its open videos."""
