# SPDX-License-Identifier: Apache-2.0
"""The pictures of one chunk in one view, filled while the chunk is decoded."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.full_decode import TimedFrame
from trireel_backend.extraction.task import Frames
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling


@dataclass(frozen=True)
class WantedView:
    """One view of a chunk: which frames, and how they are drawn."""

    sampling: Sampling
    view: View
    into: NDArray[np.uint8] | None = None
    """[at least as many as slots, S, S, 3], memory for the pixels; None to make it."""


class Sheet:
    """A place for each slot of a chunk in one view."""

    def __init__(self, pictures: PictureMaker, chunk: Chunk, wanted: WantedView) -> None:
        """Make an empty sheet."""
        self._pictures = pictures
        self.targets_seconds: list[float] = wanted.sampling.slot_middles(chunk).tolist()
        """[slots] times whose frames on screen are wanted."""
        self._slots: dict[float, list[int]] = {}
        for slot, seconds in enumerate(self.targets_seconds):
            self._slots.setdefault(seconds, []).append(slot)
        count, size_px = len(self.targets_seconds), wanted.view.size_px
        shape = (count, size_px, size_px, 3)
        self._pixels = np.empty(shape, np.uint8) if wanted.into is None else wanted.into[:count]
        self._pts = np.empty(count, np.int64)
        self._time_base = Fraction(1)
        self._last: tuple[VideoFrame, int] | None = None

    def put(
        self,
        seconds: float,
        timed: TimedFrame,
        alpha_of: Callable[[TimedFrame], VideoFrame | None],
    ) -> None:
        """Draw the frame on screen at a time into each slot with that time.

        Args:
            alpha_of: returns the frame whose first plane is the alpha of a frame, if it has any.
        """
        for slot in self._slots.get(seconds, ()):
            if self._last is not None and timed.frame is self._last[0]:
                self._pixels[slot] = self._pixels[self._last[1]]
            else:
                self._pixels[slot] = self._pictures.draw(timed.frame, alpha_of(timed))
            self._pts[slot], self._time_base = timed.pts, timed.time_base
            self._last = timed.frame, slot

    def frames(self, damaged_packets: int, *, each_once: bool) -> Frames:
        """Return the frames, all slots being filled.

        Args:
            damaged_packets: packets of the chunk that the decoder skipped.
            each_once: return a frame that stands in several slots only once.
        """
        pixels, pts = self._pixels, self._pts
        if each_once:
            pixels, pts = _each_once(pixels, pts)
        return Frames(pixels, pts, self._time_base, damaged_packets)


def _each_once(
    pixels: NDArray[np.uint8], pts: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Move each different frame to the front, in place; times are in order."""
    different = [slot for slot in range(len(pts)) if slot == 0 or pts[slot] != pts[slot - 1]]
    for place, slot in enumerate(different):
        if place != slot:
            pixels[place] = pixels[slot]
    return pixels[: len(different)], pts[different]
