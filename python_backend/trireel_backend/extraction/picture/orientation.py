# SPDX-License-Identifier: Apache-2.0
"""Turning and mirroring a stored frame upright, by the display matrix of its file."""

import math
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.view import Crop, Region, turned_back

MATRIX = "DISPLAYMATRIX"
MATRIX_FORMAT = "=9i"  # rows of 3: a b u, c d v, x y w
RIGHT_ANGLE_DEGREES = 90


@dataclass(frozen=True)
class Orientation:
    """Steps that make a frame upright: mirror it left to right first, then turn it."""

    quarters: int = 0
    """Number of right angles to turn, counter-clockwise."""
    mirrored: bool = False
    """True to mirror the frame left to right before turning."""

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Read a frame's display matrix; angles that are not right angles are ignored."""
        try:
            data: Any = frame.side_data.get(MATRIX)
        except ValueError:  # with a photograph's EXIF, PyAV 18 reads the angle, but no side data
            return cls(_quarters(frame.rotation))
        if data is None:
            return UPRIGHT
        a, b, _, c, d, *_ = struct.unpack(MATRIX_FORMAT, bytes(data))
        mirrored = a * d - b * c < 0
        if mirrored:  # the rest is a rotation
            a, b = -a, -b
        return cls(_quarters(round(-math.degrees(math.atan2(b, a)))), mirrored)

    def upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a picture [H, W, 3] upright.

        Turning after squashing to a size gives the same picture as turning before it.
        """
        if not self.quarters and not self.mirrored:
            return picture
        return np.rot90(picture[:, ::-1] if self.mirrored else picture, self.quarters)

    def stored_region(self, frame: VideoFrame, crop: Crop) -> Region:
        """Return the region of the stored frame that corresponds to a crop of the upright picture.

        Raises:
            InvalidInput: if the crop reaches beyond the frame.
        """
        sides = (frame.height, frame.width) if self.quarters % 2 else (frame.width, frame.height)
        region = turned_back(crop.region(*sides), self.quarters, frame.width, frame.height)
        if not self.mirrored:
            return region
        return replace(region, left_px=frame.width - region.left_px - region.width_px)


UPRIGHT = Orientation()


def _quarters(degrees: int) -> int:
    quarters, rest = divmod(degrees, RIGHT_ANGLE_DEGREES)
    return 0 if rest else quarters % 4
