# SPDX-License-Identifier: Apache-2.0
"""What an operator may set for sampling and for the decoding process."""

import dataclasses
from dataclasses import dataclass

from trireel_backend.errors import StartupError
from trireel_backend.extraction import limits as extraction_limits
from trireel_backend.extraction.task import ExtractorOptions

DECODE_ON = ("cpu", "auto")


@dataclass(frozen=True)
class SamplingSettings:
    """How a video is cut and sampled where a request does not say."""

    chunk_seconds: float
    frames_per_chunk: int
    max_frames_per_chunk: int
    """Bounds the size of a chunk; the tower must take as many in one batch."""


@dataclass(frozen=True)
class ExtractorSettings:
    """Where an extractor decodes, what it keeps, and what a video may cost it."""

    open_videos_bytes: int = extraction_limits.OPEN_VIDEOS_BYTES
    """Memory for videos kept open, so that their next chunk goes on where the last one ended."""
    decode_on: str = "cpu"
    """`cpu`, or `auto` for NVDEC where there is one that takes the codec."""
    extract_timeout_seconds: float = extraction_limits.TIMEOUT_SECONDS
    """For a look, and for each chunk of a request, up to four."""
    max_frame_pixels: int = extraction_limits.MAX_FRAME_PIXELS
    """Of one frame."""
    max_video_pixels: int = extraction_limits.MAX_VIDEO_PIXELS
    """Width x height x frames of a video, by what it states."""
    decoder_memory_bytes: int = extraction_limits.MEMORY_BYTES
    """That an instance's decoding process may take."""

    def options(self) -> ExtractorOptions:
        """Return what the extractor works with, checked; raises StartupError."""
        if self.decode_on not in DECODE_ON:
            raise StartupError(
                f"decode_on is {self.decode_on!r}: give one of {', '.join(DECODE_ON)}"
            )
        limits = extraction_limits.ExtractionLimits(
            max_frame_pixels=self.max_frame_pixels,
            max_video_pixels=self.max_video_pixels,
            timeout_seconds=self.extract_timeout_seconds,
            memory_bytes=self.decoder_memory_bytes,
        )
        if not min(dataclasses.astuple(limits)) > 0:
            raise StartupError(f"got {limits}: every limit has to be more than 0")
        return ExtractorOptions(self.open_videos_bytes, self.decode_on == "auto", limits)
