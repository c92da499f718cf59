# SPDX-License-Identifier: Apache-2.0
"""What is known of each track of a video so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.tracking.tracker import Detections

MOST_TRACKS = 4096
"""Most tracks that are remembered, those with the highest ids."""


@dataclass(frozen=True)
class History:
    """The newest tracks of a video, one row each."""

    ids: NDArray[np.int64]
    """[r] ids, in order."""
    labels: NDArray[np.int32]
    """[r] indices of the labels."""
    spans_seconds: NDArray[np.float64]
    """[r, 2] PTS of the first and of the last detection."""
    scores: NDArray[np.float32]
    """[r] best score."""
    best_seconds: NDArray[np.float64]
    """[r] PTS of the detection with the best score."""
    best_boxes: NDArray[np.float32]
    """[r, 4] its box."""

    def __post_init__(self) -> None:
        count = len(self.ids)
        flat = (self.ids, self.labels, self.scores, self.best_seconds)
        is_flat = all(array.shape == (count,) for array in flat)
        if not is_flat or self.spans_seconds.shape != (count, 2):  # a state from outside
            raise ValueError("the tracks have arrays of different lengths")
        if self.best_boxes.shape != (count, 4):
            raise ValueError(f"the boxes have the shape {self.best_boxes.shape}")


def new_history() -> History:
    """Return the history before the first track."""
    return History(
        np.zeros(0, np.int64),
        np.zeros(0, np.int32),
        np.zeros((0, 2)),
        np.zeros(0, np.float32),
        np.zeros(0),
        np.zeros((0, 4), np.float32),
    )


def extended(
    history: History, ids: NDArray[np.int64], detections: Detections, seconds: float
) -> History:
    """Return the history after a frame.

    Args:
        ids: [d] track of each detection, none of them twice; a detection without a track is left
            out before.
    """
    places = np.searchsorted(history.ids, ids)
    known = np.append(history.ids, 0)[places] == ids  # no track has the id 0
    rows = places[known]
    scores = detections.scores.astype(np.float32)
    spans, best_scores = history.spans_seconds.copy(), history.scores.copy()
    best_seconds, best_boxes = history.best_seconds.copy(), history.best_boxes.copy()
    spans[rows, 0] = np.minimum(spans[rows, 0], seconds)  # a chunk may go back
    spans[rows, 1] = np.maximum(spans[rows, 1], seconds)
    is_better = scores[known] > best_scores[rows]
    better = rows[is_better]
    best_scores[better] = scores[known][is_better]
    best_seconds[better] = seconds
    best_boxes[better] = detections.boxes[known][is_better]
    new = np.flatnonzero(~known & (ids > (history.ids[-1] if len(history.ids) else 0)))
    new = new[np.argsort(ids[new])]
    at = np.full(len(new), seconds)
    return _newest(
        History(
            np.concatenate([history.ids, ids[new]]),
            np.concatenate([history.labels, detections.labels[new]]),
            np.concatenate([spans, np.stack([at, at], axis=1)]),
            np.concatenate([best_scores, scores[new]]),
            np.concatenate([best_seconds, at]),
            np.concatenate([best_boxes, detections.boxes[new].astype(np.float32)]),
        )
    )


def _newest(history: History) -> History:
    if len(history.ids) <= MOST_TRACKS:
        return history
    rows = slice(-MOST_TRACKS, None)
    return History(
        history.ids[rows],
        history.labels[rows],
        history.spans_seconds[rows],
        history.scores[rows],
        history.best_seconds[rows],
        history.best_boxes[rows],
    )
