# SPDX-License-Identifier: Apache-2.0
"""One video whose captions are found: its request, its facts, and the interface to the models."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.lines import ClosedLine
from trireel_backend.captions.merging import ReadText
from trireel_backend.captions.tracking import FoundText
from trireel_backend.wire.tensors import Tensors

DEFAULT_SAMPLE_FPS = 10.0
DEFAULT_CLIP_SECONDS = 10.0
USUAL_FPS = 30.0


class Rectangle(Protocol):
    """A rectangle of whole pixels."""

    @property
    def left_px(self) -> int:
        """Pixels left of it."""

    @property
    def top_px(self) -> int:
        """Pixels above it."""

    @property
    def width_px(self) -> int:
        """Its width."""

    @property
    def height_px(self) -> int:
        """Its height."""


class Crop(Protocol):
    """A rectangle of a picture of any size: `extraction.view.Crop`."""

    def region(self, width_px: int, height_px: int) -> Rectangle:
        """Return the rectangle in a picture of this size; raises InvalidInput."""


@dataclass(frozen=True)
class CaptionJob:
    """A request for the captions of one video."""

    video: str
    """Local path of the video, already checked against the media folders."""
    stream: Tensors = field(default_factory=dict)
    """Input STREAM_INDEX, if the request has it."""
    crop: Crop | None = None
    """Region in which captions are looked for; None for the whole picture."""
    finds_region: bool = False
    """True to look where text keeps returning, instead of a given region."""
    sample_fps: float = DEFAULT_SAMPLE_FPS
    """Samples of a second that are compared; 0 for every frame."""
    with_clips: bool = False
    """True to encode the samples of the region."""
    clip_seconds: float = DEFAULT_CLIP_SECONDS
    """Length of a clip in seconds of video."""
    clip_options: Tensors = field(default_factory=dict)
    """Inputs of the encoder that the request sets."""
    fetch_ms: float = 0.0
    """Time in milliseconds to fetch the video to a local file."""


@dataclass(frozen=True)
class VideoFacts:
    """Facts about a video that are known after the first frame."""

    tensors: Tensors
    """VIDEO_START_SECONDS, VIDEO_DURATION_SECONDS and other tensors of every answer."""
    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """Time from there to the end of the last frame."""
    fps: float
    """Frames of a second, 0 if it is not known."""
    size_px: tuple[int, int]
    """Width and height of the upright picture."""
    time_base: Fraction
    """Unit of PTS in seconds."""

    @property
    def usual_fps(self) -> float:
        """Frames of a second, a guess if the file states none."""
        return self.fps or USUAL_FPS

    @property
    def end_seconds(self) -> float:
        """End of the last frame."""
        return self.start_seconds + self.duration_seconds


@dataclass(frozen=True)
class Region:
    """The part of the picture in which captions are looked for, in whole pixels."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    picture_px: tuple[int, int]
    """Width and height of the upright picture."""

    @property
    def frame_bytes(self) -> int:
        """Size of one picture in bytes."""
        return self.width_px * self.height_px * 3

    def shares(self) -> NDArray[np.float64]:
        """Return [4] left, top, width and height as fractions of the picture."""
        sides = np.array([self.left_px, self.top_px, self.width_px, self.height_px], np.float64)
        return np.asarray(sides / np.array([*self.picture_px] * 2))

    def box_shares(self, box: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return a box of the region, x1 y1 x2 y2 in pixels, as fractions of the picture."""
        corner = np.array([self.left_px, self.top_px] * 2)
        return np.asarray((box + corner) / np.array([*self.picture_px] * 2), np.float32)


@dataclass(frozen=True)
class RegionFrames:
    """Neighbouring frames of a region."""

    pixels: NDArray[np.uint8]
    """[f, H, W, 3] RGB."""
    pts: NDArray[np.int64]
    """[f] PTS in units of the time base."""


@dataclass(frozen=True)
class Clip:
    """An encoded part of the region's samples."""

    index: int
    """Index of the clip in the video, from 0."""
    data: bytes
    """A WebM file."""
    span_seconds: tuple[float, float]
    """PTS of the first frame, and of the first frame behind the clip."""
    frames: int
    """Number of frames."""


class CaptionStages(Protocol):
    """Calls of the models that find the captions of one video."""

    async def look(self, job: CaptionJob) -> VideoFacts:
        """Return the facts about the video; one frame is decoded."""

    async def extract(
        self,
        job: CaptionJob,
        region: Region,
        start_seconds: float,
        seconds: float,
        *,
        size_px: tuple[int, int] | None = None,
        keyframes_only: bool = False,
        keep_open: bool = True,
    ) -> RegionFrames:
        """Return every frame of a stretch of video in the region.

        Args:
            size_px: width and height of the pictures, None for those of the region.
            keep_open: False if no later stretch of the video will be requested.
        """

    async def detect(
        self, frames: Sequence[NDArray[np.uint8]], picture_height_px: int
    ) -> list[FoundText]:
        """Return the boxes of text in each frame [H, W, 3].

        Args:
            picture_height_px: height of the whole picture in the same pixels.
        """

    async def read(self, lines: Sequence[ClosedLine]) -> list[ReadText]:
        """Return the texts of lines."""

    async def encode(
        self, job: CaptionJob, frames: NDArray[np.uint8], pts: NDArray[np.int64], base: Fraction
    ) -> bytes:
        """Return frames [f, H, W, 3] as a WebM file."""
