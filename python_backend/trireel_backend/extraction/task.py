# SPDX-License-Identifier: Apache-2.0
"""What an extractor is asked for, and what it answers: plain values that need no FFmpeg."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.extraction.limits import OPEN_VIDEOS_BYTES, ExtractionLimits
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling


class RunsTasks(Protocol):
    """An extractor, wherever it runs: `isolation.IsolatedExtractor`."""

    def run(self, task: "ExtractionTask", is_cancelled: Callable[[], bool]) -> "Extracted":
        """Do a task; raises RequestError."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of its video stream."""

    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """From the first frame's PTS to the end of the last that is there."""
    is_complete: bool = True
    """False where the file ends before what its container states."""
    stream_index: int = 0
    """The stream that is read."""
    video_stream_indices: tuple[int, ...] = (0,)
    """All video streams of the file."""
    decoder: str = ""
    """FFmpeg's name of the software decoder."""
    frame_pixels: int = 0
    """Width x height, by what the file states."""

    @property
    def end_seconds(self) -> float:
        """End of the last frame."""
        return self.start_seconds + self.duration_seconds


@dataclass(frozen=True)
class Frames:
    """Frames sampled from one chunk."""

    pixels: NDArray[np.uint8]
    """[f, S, S, 3] RGB, the view squashed to the square."""
    pts: NDArray[np.int64]
    """[f] PTS of each frame, in units of the time base."""
    time_base: Fraction
    """In seconds."""
    damaged_packets: int = 0
    """Packets of the chunk that the decoder could make nothing of, and passed over."""

    @property
    def timestamps_seconds(self) -> NDArray[np.float64]:
        """[f] PTS of each frame in seconds."""
        return np.array([float(pts * self.time_base) for pts in self.pts.tolist()], np.float64)


@dataclass(frozen=True)
class SecondView:
    """Frames that a task wants beside its own: at another rate, of another size."""

    fps: float
    """Frames of each second of a chunk."""
    max_frames: int
    """Largest number of frames of one chunk; a longer chunk has that many, evenly spread."""
    view: View

    def sampling(self, chunk: Chunk) -> Sampling:
        """Return the sampling of a chunk."""
        by_rate = Sampling(fps=self.fps)
        if by_rate.chunk_count(chunk) > self.max_frames:
            return Sampling(self.max_frames)
        return by_rate


@dataclass(frozen=True)
class ExtractionTask:
    """What is wanted of a video."""

    path: Path
    chunk_seconds: float
    """Length of a chunk, unless the video ends before, or one frame stands for longer."""
    sampling: Sampling
    """0 frames only look."""
    view: View
    starts_seconds: tuple[float, ...] = ()
    """Starts of the chunks; none for one chunk from the video's first frame."""
    stream_index: int | None = None
    """Of the video stream, None for the file's default."""
    keep_open: bool = True
    """False where no other chunk of the file will be asked for."""
    with_plan: bool = False
    """Return the plan of the whole video too."""
    second_views: tuple[SecondView, ...] = ()
    """Other views of the same chunks, made in the same decoding pass."""


@dataclass(frozen=True)
class Extracted:
    """The frames of some chunks, and what is known of the video."""

    info: VideoInfo
    pixels: NDArray[np.uint8]
    """[f, S, S, 3] RGB of all chunks."""
    chunks: tuple[Chunk, ...]
    frames: tuple[Frames, ...]
    """Of each chunk; their pixels are parts of the ones above."""
    decoder: str
    """FFmpeg's name of what decoded it, with ` (cuda)` where NVDEC did."""
    began_ns: int
    """On the machine's monotonic clock, which all processes share."""
    ended_ns: int
    plan: tuple[Chunk, ...] = ()
    """Chunks of the whole video, if the task asks for them."""
    second_frames: tuple[tuple[Frames, ...], ...] = ()
    """For each chunk the frames of each second view."""


@dataclass(frozen=True)
class ExtractorOptions:
    """How an extractor works."""

    open_videos_bytes: int = OPEN_VIDEOS_BYTES
    """Memory for videos kept open, so that their next chunk goes on where the last one ended."""
    on_gpu: bool = False
    """Decode with NVDEC where there is one that takes the codec."""
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
