# SPDX-License-Identifier: Apache-2.0
"""The intervals in which a label is on screen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAP_SECONDS = 1.0
"""Longest time without a detection within an interval: a detector misses an object now and then."""
MOST_INTERVALS = 4096
"""Most intervals that are remembered, those that began last."""


@dataclass(frozen=True)
class OnScreen:
    """The newest intervals of a video so far, one row each, in the order of their begin."""

    labels: NDArray[np.int32]
    """[i] indices of the labels."""
    spans_seconds: NDArray[np.float64]
    """[i, 2] PTS of the first and of the last frame with the label."""
    seconds: float | None
    """PTS of the last frame, None before the first."""

    def __post_init__(self) -> None:
        if self.spans_seconds.shape != (len(self.labels), 2) or self.labels.ndim != 1:
            raise ValueError("the intervals have arrays of different lengths")  # from outside


def nothing_on_screen() -> OnScreen:
    """Return the intervals before the first frame."""
    return OnScreen(np.zeros(0, np.int32), np.zeros((0, 2)), None)


def seen(before: OnScreen, labels: NDArray[np.int32], seconds: float) -> OnScreen:
    """Return the intervals after a frame.

    An interval goes on if the frame before this one has the label too, or one that is at most
    GAP_SECONDS earlier.

    Args:
        labels: [d] indices of the labels in the frame, each any number of times.
        seconds: PTS of the frame.
    """
    spans, new = before.spans_seconds.copy(), []
    earliest = seconds - GAP_SECONDS
    if before.seconds is not None:
        earliest = min(earliest, before.seconds)
    for label in np.unique(labels).tolist():
        rows = np.flatnonzero(before.labels == label)
        if len(rows) and spans[rows[-1], 1] >= earliest:
            begin, end = spans[rows[-1]]
            spans[rows[-1]] = min(begin, seconds), max(end, seconds)  # a chunk may go back
        else:
            new.append(label)
    begun = np.full((len(new), 2), seconds)
    return OnScreen(
        np.concatenate([before.labels, np.array(new, np.int32)])[-MOST_INTERVALS:],
        np.concatenate([spans, begun])[-MOST_INTERVALS:],
        seconds,
    )
