# SPDX-License-Identifier: Apache-2.0
"""How much work a video may be before it is refused."""

from dataclasses import dataclass

MAX_FRAME_PIXELS = 8192 * 8192
MAX_VIDEO_PIXELS = 20_000_000_000_000  # 4 hours of 8K at 30 fps, 10 of 4K at 60, 40 of 1080p at 60
TIMEOUT_SECONDS = 120.0
MEMORY_BYTES = 4 * 2**30
OPEN_VIDEOS_BYTES = 256 * 2**20  # some 50 of 384 x 384, 4 of 1080p, 1 of 4K


@dataclass(frozen=True)
class ExtractionLimits:
    """What an operator lets a video cost."""

    max_frame_pixels: int = MAX_FRAME_PIXELS
    """Of one frame; a picture bomb is refused before its memory is taken."""
    max_video_pixels: int = MAX_VIDEO_PIXELS
    """Width x height x frames of a video, by what it states and at most what its size can hold."""
    timeout_seconds: float = TIMEOUT_SECONDS
    """For a look, and for each chunk of a request, up to four."""
    memory_bytes: int = MEMORY_BYTES
    """That the decoding process may take, all its open videos included."""
