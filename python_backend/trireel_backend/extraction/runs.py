# SPDX-License-Identifier: Apache-2.0
"""The pictures of all frames of one chunk in one view, filled while the chunk is decoded."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.full_decode import TimedFrame
from trireel_backend.extraction.task import Frames, SecondView
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk

ROUNDING_SECONDS = 1e-6
"""A frame that begins this much before a chunk belongs to it: starts of chunks are rounded."""

AlphaOf = Callable[[TimedFrame], VideoFrame | None]


def frame_bounds(chunk: Chunk) -> tuple[float, float]:
    """Return the times of a chunk's first frame and of the first frame behind it, at the least."""
    return chunk.start_seconds - ROUNDING_SECONDS, chunk.end_seconds - ROUNDING_SECONDS


class PictureList:
    """Pictures of frames in order, each frame once."""

    def __init__(self) -> None:
        self._pixels: list[NDArray[np.uint8]] = []
        self._pts: list[int] = []
        self._time_base = Fraction(1)

    def __len__(self) -> int:
        return len(self._pts)

    def add(self, pixels: NDArray[np.uint8], pts: int, time_base: Fraction) -> None:
        """Add the picture [H, W, 3] of the next frame."""
        self._pixels.append(pixels)
        self._pts.append(pts)
        self._time_base = time_base

    def frames(self, view: View, damaged_packets: int) -> Frames:
        """Return the frames, 0 or more.

        Args:
            damaged_packets: packets of the chunk that the decoder skipped.
        """
        pixels = np.empty(view.shape(len(self._pts)), np.uint8)
        for position, picture in enumerate(self._pixels):
            pixels[position] = picture
        return Frames(pixels, np.array(self._pts, np.int64), self._time_base, damaged_packets)


class Run:
    """The pictures of every frame of a chunk in one view."""

    targets_seconds: tuple[float, ...] = ()
    """No frame on screen at a time is needed beside them."""

    def __init__(self, pictures: PictureMaker, chunk: Chunk, second_view: SecondView) -> None:
        """Create an empty run."""
        self.pictures = pictures
        """Draws the pictures of the view."""
        self._begin_seconds, self._end_seconds = frame_bounds(chunk)
        self._second_view = second_view
        self._list = PictureList()

    def put(self, seconds: float, timed: TimedFrame, alpha_of: AlphaOf) -> None:
        """Do nothing: a run is filled by `pass_by`."""

    def pass_by(self, timed: TimedFrame, alpha_of: AlphaOf) -> None:
        """Draw the next frame, if it belongs to the chunk.

        Raises:
            InvalidInput: if the chunk has more frames than the view allows.
        """
        if not self._begin_seconds <= timed.seconds < self._end_seconds:
            return
        if len(self._list) == self._second_view.max_frames:
            raise InvalidInput(
                f"a chunk has more than {len(self._list)} frames, and every frame is needed:"
                " request shorter chunks, smaller frames, or another mode of SCENES"
            )
        pixels = self.pictures.draw(timed.frame, alpha_of(timed))
        self._list.add(pixels, timed.pts, timed.time_base)

    def frames(self, damaged_packets: int, *, each_once: bool) -> Frames:
        """Return the frames, 0 or more.

        Args:
            damaged_packets: packets of the chunk that the decoder skipped.
            each_once: has no meaning here, since every frame comes once.
        """
        return self._list.frames(self._second_view.view, damaged_packets)
