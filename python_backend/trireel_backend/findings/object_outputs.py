# SPDX-License-Identifier: Apache-2.0
"""Outputs of the finding `objects`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.tracking.history import History
from trireel_backend.tracking.on_screen import OnScreen
from trireel_backend.tracking.tracker import Detections
from trireel_backend.wire.tensors import texts

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FrameDetections:
    """The detections of one frame that are reported."""

    seconds: float
    """PTS of the frame."""
    detections: Detections
    """The detections."""
    ids: NDArray[np.int64]
    """[d] their tracks, NO_TRACK without one."""


def detection_tensors(
    frames: Sequence[FrameDetections], labels: Sequence[str], *, chunk_index: int
) -> Outputs:
    """Return the detections of a chunk, frame by frame.

    Args:
        labels: the detector's labels.
        chunk_index: position of the chunk in the video.
    """
    counts = [len(frame.ids) for frame in frames]
    seconds = np.array([frame.seconds for frame in frames], np.float64)
    parts = [frame.detections for frame in frames]
    indices = np.concatenate([np.zeros(0, np.int32), *(part.labels for part in parts)])
    return {
        "OBJECT_FRAME_TIMESTAMPS": seconds,
        "OBJECT_TIMESTAMPS": np.repeat(seconds, np.array(counts, np.int64)),
        "OBJECT_CHUNK_INDICES": np.full(sum(counts), chunk_index, np.int32),
        "OBJECT_BOXES": _joined(np.zeros((0, 4)), [part.boxes for part in parts]),
        "OBJECT_SCORES": _joined(np.zeros(0), [part.scores for part in parts]),
        "OBJECT_LABELS": texts([labels[index] for index in indices.tolist()]),
        "OBJECT_TRACK_IDS": np.concatenate(
            [np.zeros(0, np.int64), *(frame.ids for frame in frames)]
        ),
    }


def track_tensors(history: History, labels: Sequence[str]) -> Outputs:
    """Return the tracks of the video so far."""
    return {
        "TRACK_IDS": history.ids,
        "TRACK_LABELS": texts([labels[index] for index in history.labels.tolist()]),
        "TRACK_SPANS": history.spans_seconds,
        "TRACK_SCORES": history.scores,
        "TRACK_BEST_SECONDS": history.best_seconds,
        "TRACK_BEST_BOXES": history.best_boxes,
    }


def interval_tensors(on_screen: OnScreen, labels: Sequence[str]) -> Outputs:
    """Return the intervals of the video so far in which each label is on screen."""
    return {
        "ONSCREEN_LABELS": texts([labels[index] for index in on_screen.labels.tolist()]),
        "ONSCREEN_SPANS": on_screen.spans_seconds,
    }


def _joined(
    empty: NDArray[np.float64], parts: Sequence[NDArray[np.float64]]
) -> NDArray[np.float32]:
    return np.asarray(np.concatenate([empty, *parts]), np.float32)
