# SPDX-License-Identifier: Apache-2.0
"""Decoded frames as upright pictures."""

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MATRIX = "DISPLAYMATRIX"
MATRIX_FORMAT = "=9i"  # rows of three; the first two numbers of the first two rows turn the picture
RIGHT_ANGLE_DEGREES = 90


class UprightPictures:
    """Makes pictures of one size of decoded frames."""

    def __init__(self, width_px: int, height_px: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._size_px = (width_px, height_px)
        self._reformatter = VideoReformatter()  # keeps its tables from frame to frame

    def picture(self, frame: "VideoFrame") -> NDArray[np.uint8]:
        """Return a frame as it is to be seen, [H, W, 3] RGB.

        The file's display matrix is obeyed; angles that are not right angles are ignored. Scaling
        to the size makes pixels square that are stored as others.
        """
        quarters, is_mirrored = _orientation(frame)
        width_px, height_px = self._size_px[::-1] if quarters % 2 else self._size_px
        scaled = self._reformatter.reformat(frame, width_px, height_px, "rgb24")
        stored = scaled.to_ndarray()
        turned = np.rot90(stored[:, ::-1] if is_mirrored else stored, quarters)
        return np.ascontiguousarray(turned)


def _orientation(frame: "VideoFrame") -> tuple[int, bool]:
    """Return the right angles to turn a frame counter-clockwise, after mirroring it if True."""
    data: Any = frame.side_data.get(MATRIX)
    if data is None:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack(MATRIX_FORMAT, bytes(data))
    is_mirrored = a * d - b * c < 0
    if is_mirrored:
        a, b = -a, -b
    quarters, rest = divmod(round(-math.degrees(math.atan2(b, a))), RIGHT_ANGLE_DEGREES)
    return (0 if rest else quarters % 4), is_mirrored
