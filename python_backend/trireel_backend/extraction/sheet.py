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
class ViewRequest:
    """One view of a chunk: the frames to sample, and how to draw them."""

    sampling: Sampling
    """Number or rate of the frames."""
    view: View
    """Size and crop of the pictures."""
    into: NDArray[np.uint8] | None = None
    """[number of slots or more, H, W, 3] memory for the pixels; None to allocate it."""


class Sheet:
    """The pictures of all slots of a chunk in one view."""

    def __init__(self, pictures: PictureMaker, chunk: Chunk, request: ViewRequest) -> None:
        """Create an empty sheet."""
        self.pictures = pictures
        """Draws the pictures of the view."""
        self.targets_seconds: list[float] = request.sampling.slot_middles(chunk).tolist()
        """[slots] times at which a frame on screen is sampled."""
        self._slots: dict[float, list[int]] = {}
        for slot, seconds in enumerate(self.targets_seconds):
            self._slots.setdefault(seconds, []).append(slot)
        count = len(self.targets_seconds)
        shape = request.view.shape(count)
        self._pixels = np.empty(shape, np.uint8) if request.into is None else request.into[:count]
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
            alpha_of: returns the frame whose first plane is the alpha of a frame, None if opaque.
        """
        for slot in self._slots.get(seconds, ()):
            if self._last is not None and timed.frame is self._last[0]:
                self._pixels[slot] = self._pixels[self._last[1]]
            else:
                self._pixels[slot] = self.pictures.draw(timed.frame, alpha_of(timed))
            self._pts[slot], self._time_base = timed.pts, timed.time_base
            self._last = timed.frame, slot

    def frames(self, damaged_packets: int, *, each_once: bool) -> Frames:
        """Return the frames; every slot must be filled.

        Args:
            damaged_packets: packets of the chunk that the decoder skipped.
            each_once: return a frame that fills several slots only once.
        """
        pixels, pts = self._pixels, self._pts
        if each_once:
            pixels, pts = _each_once(pixels, pts)
        return Frames(pixels, pts, self._time_base, damaged_packets)


def _each_once(
    pixels: NDArray[np.uint8], pts: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Move each distinct frame to the front, in place; the times are in order."""
    distinct = [slot for slot in range(len(pts)) if slot == 0 or pts[slot] != pts[slot - 1]]
    for position, slot in enumerate(distinct):
        if position != slot:
            pixels[position] = pixels[slot]
    return pixels[: len(distinct)], pts[distinct]
