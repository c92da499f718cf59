# SPDX-License-Identifier: Apache-2.0
"""Some seconds of a region's frames: all of them in order, and which of them are samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.strokes import luma

ROUNDING_SLOTS = 1e-4
"""Share of a slot by which a PTS may miss its beginning: a time base of milliseconds is coarse."""


@dataclass(frozen=True)
class Moment:
    """Time of a frame."""

    seconds: float
    """PTS in seconds."""
    pts: int
    """PTS in units of the video's time base."""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring frames of a region."""

    frames: Sequence[NDArray[np.uint8]]
    """RGB pixels [H, W, 3] of each frame."""
    moments: Sequence[Moment]
    """Time of each frame."""
    samples: Sequence[int]
    """Indices of the sampled frames."""

    def following(self, later: "Stretch") -> "Stretch":
        """Return this stretch and the next one as one."""
        offset = len(self.frames)
        return Stretch(
            [*self.frames, *later.frames],
            [*self.moments, *later.moments],
            [*self.samples, *(offset + index for index in later.samples)],
        )

    def from_frame(self, begin: int) -> "Stretch":
        """Return the frames from an index on."""
        samples = [index - begin for index in self.samples if index >= begin]
        return Stretch(self.frames[begin:], self.moments[begin:], samples)

    def brightness(self, index: int, box: NDArray[np.int32]) -> NDArray[np.int16]:
        """Return the luma [h, w] of a box of a frame."""
        return luma(self.picture(index, box))

    def picture(self, index: int, box: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Return the pixels [h, w, 3] of a box of a frame."""
        x1, y1, x2, y2 = box.tolist()
        return self.frames[index][y1:y2, x1:x2]


NO_FRAMES = Stretch((), (), ())


def sampled(
    seconds: Sequence[float], start_seconds: float, fps: float, last_seconds: float | None
) -> Iterator[int]:
    """Yield the indices of the frames to sample: the first frame of each slot of 1 / fps.

    Args:
        seconds: PTS of neighbouring frames.
        start_seconds: PTS of the video's first frame.
        fps: samples of a second; 0 for every frame.
        last_seconds: PTS of the frame before the first one, None if there is no such frame.
    """
    before = None if last_seconds is None else _slot(last_seconds - start_seconds, fps)
    for index, at_seconds in enumerate(seconds):
        slot = _slot(at_seconds - start_seconds, fps)
        if fps == 0 or slot != before:
            yield index
        before = slot


def _slot(seconds: float, fps: float) -> int:
    return int(np.floor(seconds * fps + ROUNDING_SLOTS))


def moments(pts: NDArray[np.int64], time_base: Fraction) -> list[Moment]:
    """Return the times of frames from their PTS [f]."""
    return [Moment(float(value * time_base), value) for value in pts.tolist()]
