# SPDX-License-Identifier: Apache-2.0
"""What is remembered of tracks, and the intervals in which labels are on screen."""

import numpy as np
import pytest

from trireel_backend.tracking import history as histories
from trireel_backend.tracking.history import extended, new_history
from trireel_backend.tracking.on_screen import OnScreen, nothing_on_screen, seen
from trireel_backend.tracking.tracker import Detections


def frame(*scores):
    count = len(scores)
    boxes = np.arange(4 * count, dtype=np.float64).reshape(count, 4)
    return Detections(boxes, np.array(scores), np.arange(count, dtype=np.int32))


def test_a_track_has_its_span_and_its_best_box():
    history = extended(new_history(), np.array([1, 2]), frame(0.6, 0.9), 0.5)
    history = extended(history, np.array([2, 1]), frame(0.7, 0.8), 1.0)
    history = extended(history, np.array([3]), frame(0.5), 1.5)
    assert history.ids.tolist() == [1, 2, 3]
    assert history.labels.tolist() == [0, 1, 0]
    assert history.spans_seconds.tolist() == [[0.5, 1.0], [0.5, 1.0], [1.5, 1.5]]
    assert history.scores == pytest.approx([0.8, 0.9, 0.5])
    assert history.best_seconds.tolist() == [1.0, 0.5, 1.5]
    assert history.best_boxes.tolist() == [[4, 5, 6, 7], [4, 5, 6, 7], [0, 1, 2, 3]]


def test_the_newest_tracks_are_kept(monkeypatch):
    monkeypatch.setattr(histories, "MOST_TRACKS", 2)
    history = extended(new_history(), np.array([1, 2, 3]), frame(0.6, 0.9, 0.5), 0.5)
    assert history.ids.tolist() == [2, 3]
    again = extended(history, np.array([1, 3]), frame(0.6, 0.9), 1.0)
    assert again.ids.tolist() == [2, 3]
    assert again.spans_seconds.tolist() == [[0.5, 0.5], [0.5, 1.0]]


def shown(*frames):
    """Return (label, first, last) of each interval after frames of (seconds, labels)."""
    state = nothing_on_screen()
    for seconds, labels in frames:
        state = seen(state, np.array(labels, np.int32), seconds)
    rows = zip(state.labels.tolist(), state.spans_seconds.tolist(), strict=True)
    return [(label, *span) for label, span in rows]


def test_each_label_has_its_intervals():
    frames = [(0.0, [1]), (0.5, [1, 2, 2]), (1.0, []), (2.5, [1]), (3.0, [2])]
    assert shown(*frames) == [(1, 0.0, 0.5), (2, 0.5, 0.5), (1, 2.5, 2.5), (2, 3.0, 3.0)]


def test_a_frame_without_the_label_is_bridged():
    assert shown((0.0, [1]), (0.5, []), (1.0, [1])) == [(1, 0.0, 1.0)]


def test_frames_far_apart_are_bridged_if_they_are_neighbours():
    assert shown((0.0, [1]), (5.0, [1]), (10.0, [])) == [(1, 0.0, 5.0)]


def test_intervals_of_different_lengths_are_no_state():
    with pytest.raises(ValueError, match="lengths"):
        OnScreen(np.zeros(2, np.int32), np.zeros((1, 2)), None)
