# SPDX-License-Identifier: Apache-2.0
"""Pictures as the models take them: frames with sides of 32s, lines of few different widths."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE_STEP_PX = 32
"""The sides of a picture for `text_detector` are multiples of this."""
LINE_HEIGHT_PX = 48
LINE_WIDTHS_PX = (160, 320, 480, 640, 960, 1280, 1920)
"""Widths of the pictures for `text_recognizer`. A few widths, so that lines share batches."""
PADDING = 127
"""Grey, which is nearly zero for the recognizer: it was trained with zeros right of the text."""


@dataclass(frozen=True)
class LinePictures:
    """Lines of one width, which `text_recognizer` reads in one call."""

    pictures: NDArray[np.uint8]
    """[n, 48, W, 3] RGB; right of the text, PADDING."""
    indices: tuple[int, ...]
    """Number of each line in the boxes that were given."""


def detector_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return frames [n, H, W, 3] with sides that are multiples of 32.

    The last row and column are repeated, so no edge appears. The boxes of a text map keep their
    places.
    """
    height, width = frames.shape[1:3]
    below, right = -height % SIDE_STEP_PX, -width % SIDE_STEP_PX
    return np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")


def line_pictures(frame: NDArray[np.uint8], boxes: NDArray[np.int32]) -> list[LinePictures]:
    """Cut lines out of a frame, 48 pixels high, and put lines of one padded width together.

    Args:
        frame: [H, W, 3] RGB.
        boxes: [n, 4] x1 y1 x2 y2 in pixels, inside the frame; each has an area.

    Returns:
        The lines by width, the narrowest first. A line longer than the widest is narrowed to it.

    Raises:
        ValueError: if a box is empty or not inside the frame.
    """
    return grouped_lines([line_picture(frame, box) for box in boxes])


def line_picture(frame: NDArray[np.uint8], box: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Cut one line out of a frame [H, W, 3]; return it 48 pixels high, without padding.

    Raises:
        ValueError: if the box is empty or not inside the frame.
    """
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = (int(side) for side in box)
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise ValueError(
            f"box {x1}, {y1}, {x2}, {y2} is empty or outside a frame of {width}x{height} pixels"
        )
    columns = -(-(x2 - x1) * LINE_HEIGHT_PX // (y2 - y1))
    size = (min(columns, LINE_WIDTHS_PX[-1]), LINE_HEIGHT_PX)
    picture = Image.fromarray(frame[y1:y2, x1:x2]).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture, np.uint8)


def grouped_lines(lines: Sequence[NDArray[np.uint8]]) -> list[LinePictures]:
    """Pad lines [48, w, 3] of one or more frames to the next width, and group them by width."""
    groups: dict[int, list[int]] = {}
    for index, line in enumerate(lines):
        width = next(width for width in LINE_WIDTHS_PX if width >= line.shape[1])
        groups.setdefault(width, []).append(index)
    grouped = []
    for width, indices in sorted(groups.items()):
        pictures = np.full((len(indices), LINE_HEIGHT_PX, width, 3), PADDING, np.uint8)
        for picture, index in zip(pictures, indices, strict=True):
            picture[:, : lines[index].shape[1]] = lines[index]
        grouped.append(LinePictures(pictures, tuple(indices)))
    return grouped
