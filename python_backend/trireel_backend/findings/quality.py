# SPDX-License-Identifier: Apache-2.0
"""Finding `quality`: black and frozen stretches, sharpness and brightness.

The intervals are the same that FFmpeg's filters blackdetect and freezedetect report with their
default settings on the same frames; see libavfilter's vf_blackdetect.c and vf_freezedetect.c.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import CallsNoModel, Knowledge, ServerModels, ViewSpec
from trireel_backend.wire.request import Request

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
BLACK_LUMA = 0.10 * 255
"""Largest luma of a black pixel: blackdetect's pixel_black_th."""
BLACK_SHARE = 0.98
"""Smallest share of black pixels in a black frame: blackdetect's picture_black_ratio_th."""
SAME_DIFFERENCE = 0.001 * 256
"""Largest mean absolute difference of two frames that are the same: freezedetect's noise."""
LEAST_SECONDS = 2.0
"""Shortest black or frozen interval: both filters' duration."""

Intervals = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BlackRun:
    """Black intervals of a video so far."""

    begin_seconds: float | None = None
    """PTS of the first frame of the current black run, None outside a black run."""
    closed: Intervals = ()
    """Intervals that have ended."""


@dataclass(frozen=True)
class FreezeRun:
    """Frozen intervals of a video so far."""

    reference: NDArray[np.uint8] | None = None
    """[S, S, 3] frame that later frames are compared with, None before the first frame."""
    reference_seconds: float = 0.0
    """PTS of the reference frame."""
    is_repeated: bool = False
    """True if a later frame was the same."""
    closed: Intervals = ()
    """Intervals that have ended."""

    def __post_init__(self) -> None:
        if self.reference is not None and self.reference.ndim != 3:  # a state from outside
            raise ValueError(f"the reference has {self.reference.ndim} dimensions: it has three")


@dataclass(frozen=True)
class QualityState:
    """State of a video between its chunks."""

    black: BlackRun
    freeze: FreezeRun


class Quality(CallsNoModel):
    """Measures the frames of a second view, which is denser than the tower's."""

    name: ClassVar[str] = "quality"

    def __init__(self, knowledge: Knowledge) -> None:
        """Use no data of the export."""

    @staticmethod
    def options(request: Request) -> None:
        """Read nothing: quality has no inputs."""

    @staticmethod
    def view(_: object, __: ServerModels) -> ViewSpec | None:
        """Return the view: denser than the tower's frames."""
        return ViewSpec(width_px=128, height_px=128, fps=4.0, max_frames=128)

    def start(self) -> QualityState:
        """Return the state before the first frame."""
        return QualityState(BlackRun(), FreezeRun())

    def step(
        self, state: QualityState, chunk: ChunkFrames, options: None
    ) -> tuple[QualityState, dict[str, NDArray[np.generic]]]:
        """Measure a chunk, and report the intervals of the video so far.

        Raises:
            InvalidInput: if the chunk has no frames of the view.
        """
        frames = chunk.views.get(self.name)
        if frames is None or len(frames.pixels) == 0:
            raise InvalidInput(
                "FIND names quality, which needs frames of its own: request it from video_chunk,"
                " video_analysis or video_analysis_stream, which decode the video"
            )
        shown = _each_once(frames.timestamps_seconds)
        pixels, seconds = frames.pixels[shown], frames.timestamps_seconds[shown].tolist()
        lumas = pixels @ LUMA_WEIGHTS
        black = (lumas <= BLACK_LUMA).mean(axis=(1, 2)) >= BLACK_SHARE
        black_run = state.black
        freeze_run, frozen = state.freeze, []
        for picture, is_black, at_seconds in zip(pixels, black.tolist(), seconds, strict=True):
            black_run = _after_black(black_run, is_black, at_seconds)
            freeze_run, is_same = _after_freeze(freeze_run, picture, at_seconds)
            frozen.append(is_same)
        return QualityState(black_run, freeze_run), {
            "CHUNK_QUALITY_BLACK_SHARES": _number(black.mean()),
            "CHUNK_QUALITY_FROZEN_SHARES": _number(np.mean(frozen)),
            "CHUNK_QUALITY_SHARPNESS": _number(np.mean([sharpness(luma) for luma in lumas])),
            "CHUNK_QUALITY_LUMAS": _number(lumas.mean()),
            "QUALITY_BLACK_INTERVALS": _rows(_black_intervals(black_run, seconds[-1])),
            "QUALITY_FREEZE_INTERVALS": _rows(_freeze_intervals(freeze_run, seconds[-1])),
        }


def sharpness(luma: NDArray[np.float32]) -> float:
    """Return the variance of the Laplacian of a picture [H, W], 0..255: low if it is blurred.

    The kernel is [[0, 1, 0], [1, -4, 1], [0, 1, 0]]; the picture's border is left out.
    """
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    return float((around - 4 * inner).var())


def _each_once(seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of the frames that differ in time from the frame before them.

    A filter sees each frame once.
    """
    return np.concatenate([[True], np.diff(seconds) > 0])


def _after_black(run: BlackRun, is_black: bool, at_seconds: float) -> BlackRun:
    if is_black:
        return run if run.begin_seconds is not None else replace(run, begin_seconds=at_seconds)
    return BlackRun(None, tuple(_black_intervals(run, at_seconds)))


def _black_intervals(run: BlackRun, end_seconds: float) -> Iterator[tuple[float, float]]:
    yield from run.closed
    if run.begin_seconds is not None and end_seconds - run.begin_seconds >= LEAST_SECONDS:
        yield run.begin_seconds, end_seconds


def _after_freeze(
    run: FreezeRun, picture: NDArray[np.uint8], at_seconds: float
) -> tuple[FreezeRun, bool]:
    """Return the run after a frame, and whether the frame is the same as the reference."""
    if run.reference is None:
        return replace(run, reference=picture.copy(), reference_seconds=at_seconds), False
    if at_seconds == run.reference_seconds:  # the last frame of the previous chunk
        return run, False
    difference = np.abs(picture.astype(np.int16) - run.reference).mean()
    if difference <= SAME_DIFFERENCE:
        return replace(run, is_repeated=True), True
    closed = tuple(_freeze_intervals(run, at_seconds))
    return FreezeRun(picture.copy(), at_seconds, closed=closed), False


def _freeze_intervals(run: FreezeRun, end_seconds: float) -> Iterator[tuple[float, float]]:
    yield from run.closed
    if run.is_repeated and end_seconds - run.reference_seconds >= LEAST_SECONDS:
        yield run.reference_seconds, end_seconds


def _number(value: float | np.floating[Any]) -> NDArray[np.float32]:
    return np.array([value], np.float32)


def _rows(intervals: Iterator[tuple[float, float]]) -> NDArray[np.float64]:
    return np.array(list(intervals), np.float64).reshape(-1, 2)
