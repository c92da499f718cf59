# SPDX-License-Identifier: Apache-2.0
"""Tasks and results of an extractor, as plain values that do not need FFmpeg."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.extraction.limits import OPEN_VIDEOS_BYTES, ExtractionLimits
from trireel_backend.extraction.view import WHOLE, Shown, View
from trireel_backend.plan import Chunk, Sampling, Selection


class RunsTasks(Protocol):
    """An extractor in this or another process, such as `isolation.IsolatedExtractor`."""

    def run(self, task: "ExtractionTask", is_cancelled: Callable[[], bool]) -> "Extracted":
        """Run a task; raises RequestError."""

    def close(self) -> None:
        """Close the extractor."""


@dataclass(frozen=True)
class FrameRate:
    """The rate of a video's frames."""

    fps: Fraction
    """Frames per second, on average if the rate is variable; 0 if it is not known."""
    is_variable: bool = False
    """True if the frames do not follow each other at one rate."""


UNKNOWN_RATE = FrameRate(Fraction(0))
SQUARE_PIXELS = Fraction(1)


@dataclass(frozen=True)
class VideoInfo:
    """Facts that a file states about its video stream."""

    start_seconds: float
    """PTS of the first frame in seconds."""
    duration_seconds: float
    """Time in seconds from the first frame's PTS to the end of the last frame in the file."""
    is_complete: bool = True
    """False if the file ends before the end that its header states."""
    stream_index: int = 0
    """Index of the stream that is read."""
    video_stream_indices: tuple[int, ...] = (0,)
    """Indices of all video streams of the file."""
    decoder: str = ""
    """FFmpeg's name of the software decoder."""
    frame_pixels: int = 0
    """Width x height of a frame, as the file states them."""
    frame_rate: FrameRate = UNKNOWN_RATE
    """Rate of the frames; unknown for pictures."""
    pixel_aspect: Fraction = SQUARE_PIXELS
    """Width of a pixel divided by its height."""

    @property
    def end_seconds(self) -> float:
        """End of the last frame in seconds."""
        return self.start_seconds + self.duration_seconds


@dataclass(frozen=True)
class Frames:
    """Frames sampled from one chunk."""

    pixels: NDArray[np.uint8]
    """[f, H, W, 3] RGB, the region squashed to the size of the view."""
    pts: NDArray[np.int64]
    """[f] PTS of each frame, in units of the time base."""
    time_base: Fraction
    """Unit of the PTS in seconds."""
    damaged_packets: int = 0
    """Number of the chunk's packets that the decoder could not decode and skipped."""
    shown: Shown = WHOLE
    """Part of the upright picture that the frames show."""

    @property
    def timestamps_seconds(self) -> NDArray[np.float64]:
        """[f] PTS of each frame in seconds."""
        return np.array([float(pts * self.time_base) for pts in self.pts.tolist()], np.float64)


@dataclass(frozen=True)
class SecondView:
    """Additional frames of a task, selected by another rule and of another size."""

    view: View
    """Size and crop of the pictures."""
    max_frames: int
    """Most frames of a chunk. By rate, a longer chunk gets this many, evenly spread."""
    fps: float = 0.0
    """Number of frames per second of a chunk, if they are selected by rate."""
    selection: Selection = Selection.RATE
    """Rule that selects the frames."""

    def sampling(self, chunk: Chunk) -> Sampling:
        """Return the sampling of a chunk, if its frames are selected by rate."""
        by_rate = Sampling(fps=self.fps)
        if by_rate.chunk_count(chunk) > self.max_frames:
            return Sampling(self.max_frames)
        return by_rate


@dataclass(frozen=True)
class ExtractionTask:
    """Chunks of a video to sample, and how."""

    path: Path
    """Path of the video file."""
    chunk_seconds: float
    """Length of a chunk in seconds, unless the video ends earlier or a still lasts longer."""
    sampling: Sampling
    """Number or rate of the frames; 0 frames only probes the video."""
    view: View
    """Size and crop of the pictures."""
    starts_seconds: tuple[float, ...] = ()
    """Starts of the chunks; empty for one chunk from the video's first frame."""
    stream_index: int | None = None
    """Index of the video stream, None for the file's default."""
    keep_open: bool = True
    """False if no further chunk of the file will be requested."""
    with_plan: bool = False
    """True to return the plan of the whole video too."""
    second_views: tuple[SecondView, ...] = ()
    """Other views of the same chunks, made in the same decoding pass."""


@dataclass(frozen=True)
class Extracted:
    """The frames of some chunks, and facts about the video."""

    info: VideoInfo
    pixels: NDArray[np.uint8]
    """[f, H, W, 3] RGB pixels of all chunks."""
    chunks: tuple[Chunk, ...]
    """Chunks of the task, in order."""
    frames: tuple[Frames, ...]
    """Frames of each chunk; their pixels are views of `pixels`."""
    decoder: str
    """FFmpeg's name of the decoder, with ` (cuda)` if NVDEC decoded the video."""
    picture_size_px: tuple[int, int]
    """Width and height of the upright picture in square pixels; zeros if no frame was decoded."""
    began_ns: int
    """Start of the task on the machine's monotonic clock, which all processes share."""
    ended_ns: int
    """End of the task on the same clock."""
    plan: tuple[Chunk, ...] = ()
    """Chunks of the whole video, if the task requests them."""
    second_frames: tuple[tuple[Frames, ...], ...] = ()
    """For each chunk, the frames of each second view."""


@dataclass(frozen=True)
class ExtractorOptions:
    """Options of an extractor."""

    open_videos_bytes: int = OPEN_VIDEOS_BYTES
    """Memory in bytes for open videos, whose next chunk continues at the end of the last one."""
    on_gpu: bool = False
    """True to decode with NVDEC if the machine has one that supports the codec."""
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
