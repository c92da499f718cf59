# SPDX-License-Identifier: Apache-2.0
"""How a stored frame is turned and mirrored to be upright, by its file's display matrix."""

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
    """What makes a frame upright: mirrored left to right first, then turned."""

    quarters: int = 0
    """Right angles, counter-clockwise."""
    mirrored: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> "Orientation":
        """Read a frame's display matrix; angles other than right ones are left as they are."""
        try:
            data: Any = frame.side_data.get(MATRIX)
        except ValueError:  # PyAV 18 reads no side data beside a photograph's EXIF, its angle alone
            return cls(_quarters(frame.rotation))
        if data is None:
            return UPRIGHT
        a, b, _, c, d, *_ = struct.unpack(MATRIX_FORMAT, bytes(data))
        mirrored = a * d - b * c < 0
        if mirrored:  # what is left is a rotation
            a, b = -a, -b
        return cls(_quarters(round(-math.degrees(math.atan2(b, a)))), mirrored)

    def upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn a square picture [S, S, 3].

        Squashing to the square and turning by a right angle may change places.
        """
        return np.rot90(picture[:, ::-1] if self.mirrored else picture, self.quarters)

    def stored_region(self, frame: VideoFrame, crop: Crop) -> Region:
        """Return where a crop of the upright picture lies in the frame as it is stored.

        Raises:
            InvalidInput: it reaches beyond the frame.
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
