# SPDX-License-Identifier: Apache-2.0
"""Patches of a mask: pixels that touch each other, and the box around each patch."""

import numpy as np
from numpy.typing import NDArray


def patch_boxes(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the box around each patch of a mask.

    Pixels that touch at a side or a corner are of one patch.

    Args:
        mask: [H, W].

    Returns:
        [n, 4] x1 y1 x2 y2 in pixels; x2 and y2 are outside. The order is that of the patches' first
        pixels, row by row.
    """
    rows, starts, ends = _runs(mask)
    labels = _joined(len(rows), *_touching(rows, starts, ends, mask.shape[1]))
    names, patches = np.unique(labels, return_inverse=True)
    boxes = np.empty((len(names), 4), np.int32)
    boxes[:, :2], boxes[:, 2:] = np.iinfo(np.int32).max, 0
    np.minimum.at(boxes[:, 0], patches, starts)
    np.minimum.at(boxes[:, 1], patches, rows)
    np.maximum.at(boxes[:, 2], patches, ends)
    np.maximum.at(boxes[:, 3], patches, rows + 1)
    return boxes


def _runs(
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return row, first column and end of each run of pixels, row by row."""
    edges = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    edges[:, 1:-1] = mask
    steps = np.diff(edges, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, starts, ends


def _touching(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of runs that touch: the upper and the lower one."""
    # A row is this much longer than a run, so one search finds the neighbours in the row above.
    stride = columns + 2
    first = np.searchsorted(rows * stride + ends, (rows - 1) * stride + starts)
    last = np.searchsorted(rows * stride + starts, (rows - 1) * stride + ends, side="right")
    counts = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(len(rows)), counts)
    steps = np.arange(len(lower)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(first, counts) + steps, lower


def _joined(count: int, upper: NDArray[np.int64], lower: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each run the first run of its patch."""
    labels = np.arange(count)
    while True:
        least = np.minimum(labels[upper], labels[lower])
        following = labels.copy()
        # The names of both runs, too, get the smaller one: long chains become short in few rounds.
        for runs in (upper, lower, labels[upper], labels[lower]):
            np.minimum.at(following, runs, least)
        following = following[following]
        if np.array_equal(following, labels):
            return labels
        labels = following
