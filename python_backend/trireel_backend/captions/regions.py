# SPDX-License-Identifier: Apache-2.0
"""Where captions are: the band of a picture in which boxes of text keep returning."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RETURNING_SHARE = 0.1
"""Share of the pictures in which a row must have text to belong to the region."""
LEAST_RETURNS = 2
"""Fewest pictures in which a row must have text."""
STANDING_SHARE = 0.8
"""Share of the pictures in which a box stands at the same place if it is a logo."""
SAME_BOX = 0.7
"""Intersection over union of two boxes at the same place."""
MARGIN = 0.03
"""Space around the text, as a share of the picture's height."""


def caption_region(
    boxes: Sequence[NDArray[np.int32]], size_px: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Return the left, top, right and bottom of the region, None if no text keeps returning.

    The region is as wide as the picture, because a longer text may come.

    Args:
        boxes: for each picture, [n, 4] x1 y1 x2 y2 of its text in pixels.
        size_px: width and height of the pictures.
    """
    width, height = size_px
    moving = [_without_logos(picture, boxes) for picture in boxes]
    rows = np.zeros(height, np.int64)
    for picture in moving:
        has_text = np.zeros(height, bool)
        for _, top, _, bottom in picture.tolist():
            has_text[top:bottom] = True
        rows += has_text
    least = max(LEAST_RETURNS, RETURNING_SHARE * len(boxes))
    best = _best_band(rows, least)
    if best is None:
        return None
    margin = round(MARGIN * height)
    return 0, max(0, best[0] - margin), width, min(height, best[1] + margin)


def _without_logos(
    picture: NDArray[np.int32], boxes: Sequence[NDArray[np.int32]]
) -> NDArray[np.int32]:
    kept = [
        box
        for box in picture
        if sum(_has_box(other, box) for other in boxes) < max(3, STANDING_SHARE * len(boxes))
    ]
    return np.array(kept, np.int32).reshape(-1, 4)


def _has_box(picture: NDArray[np.int32], box: NDArray[np.int32]) -> bool:
    if not len(picture):
        return False
    shared = np.minimum(picture[:, 2:], box[2:]) - np.maximum(picture[:, :2], box[:2])
    inner = np.maximum(shared, 0).prod(axis=1)
    areas = (picture[:, 2:] - picture[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return bool((inner >= SAME_BOX * (areas - inner)).any())


def _best_band(rows: NDArray[np.int64], least: float) -> tuple[int, int] | None:
    """Return the band of rows with text in the most pictures; near bands are one."""
    has_text = rows >= least
    if not has_text.any():
        return None
    gap = max(1, round(2 * MARGIN * len(rows)))
    found = np.flatnonzero(has_text)
    bands = np.split(found, np.flatnonzero(np.diff(found) > gap) + 1)
    best = max(bands, key=lambda band: int(rows[band].sum()))
    return int(best[0]), int(best[-1]) + 1
