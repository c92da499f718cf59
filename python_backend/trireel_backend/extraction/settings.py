# SPDX-License-Identifier: Apache-2.0
"""Settings of sampling and of the decoding process."""

import dataclasses
from dataclasses import dataclass

from trireel_backend.errors import StartupError
from trireel_backend.extraction import limits as extraction_limits
from trireel_backend.extraction.task import ExtractorOptions

DECODE_ON = ("cpu", "auto")


@dataclass(frozen=True)
class SamplingSettings:
    """Defaults and limits of sampling, for requests that do not set them."""

    chunk_seconds: float
    """Length of a chunk in seconds, if a request does not set it."""
    frames_per_chunk: int
    """Number of frames per chunk, if a request does not set it."""
    max_frames_per_chunk: int
    """Most frames per chunk; the tower must accept as many in one batch."""


@dataclass(frozen=True)
class ExtractorSettings:
    """Decoder, memory and limits of an extractor."""

    open_videos_bytes: int = extraction_limits.OPEN_VIDEOS_BYTES
    """Memory in bytes for open videos, whose next chunk continues at the end of the last one."""
    decode_on: str = "cpu"
    """`cpu`, or `auto` for NVDEC if the machine has one that supports the codec."""
    extract_timeout_seconds: float = extraction_limits.TIMEOUT_SECONDS
    """Time limit in seconds for a probe, and for each chunk of a request, up to four."""
    max_frame_pixels: int = extraction_limits.MAX_FRAME_PIXELS
    """Most pixels of one frame."""
    max_video_pixels: int = extraction_limits.MAX_VIDEO_PIXELS
    """Most width x height x frames of a video, as the file states them."""
    decoder_memory_bytes: int = extraction_limits.MEMORY_BYTES
    """Memory in bytes that the decoding process of an instance may use."""

    def options(self) -> ExtractorOptions:
        """Return the options of the extractor; raises StartupError if one is not allowed."""
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
