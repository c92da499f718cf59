# SPDX-License-Identifier: Apache-2.0
"""Boxes as [.., 4] left, top, right, bottom, in fractions of the picture.

All that is computed here stays the same if one axis is scaled, so fractions do as well as pixels.
"""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """Return the intersection over union, 0..1, of each box [a, 4] with each box [b, 4]: [a, b]."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    opposite = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(opposite - corner, 0.0, None), axis=2)
    union = areas(first)[:, None] + areas(second)[None] - shared
    result: NDArray[np.float64] = np.divide(
        shared, union, out=np.zeros_like(shared), where=union > 0
    )
    return result


def areas(boxes: Boxes) -> NDArray[np.float64]:
    """Return the area of each box [b, 4]; 0 for one whose sides are turned round."""
    sides: NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return sides[:, 0] * sides[:, 1]


def distinct(boxes: Boxes, labels: NDArray[np.int32], most_overlap: float) -> NDArray[np.int_]:
    """Return the rows of detections, best first, without those that a better one repeats.

    Args:
        boxes: [d, 4] of one frame, the best first.
        labels: [d] indices of their labels.
        most_overlap: a detection that overlaps more with a better one of its label is left out.
    """
    repeats = (overlaps(boxes, boxes) > most_overlap) & (labels[:, None] == labels[None])
    kept: list[int] = []
    for row in range(len(boxes)):
        if not repeats[row, kept].any():
            kept.append(row)
    return np.array(kept, np.int_)


def enlarged(boxes: Boxes, share: float) -> Boxes:
    """Return boxes [b, 4] that reach further on each side, by a share of their width or height."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def to_centres(boxes: Boxes) -> NDArray[np.float64]:
    """Return boxes [b, 4] as the centre's x and y, width and height."""
    corner, opposite = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(corner + opposite) / 2, opposite - corner], axis=1)


def of_centres(centres: NDArray[np.float64]) -> Boxes:
    """Return the boxes [b, 4] of what `to_centres` returned."""
    middle, half = centres[:, :2], centres[:, 2:] / 2
    return np.concatenate([middle - half, middle + half], axis=1)
