# SPDX-License-Identifier: Apache-2.0
"""Tracks of drawn figures, from their true boxes with the faults of a detector; and MOTA itself."""

import numpy as np
import pytest
from support.drawn_tracks import KINDS, observed, scene_of
from support.mota import Accuracy, Boxes

from trireel_backend.tracking.tracker import Detections, TrackerSettings, advance, new_tracker
from trireel_drawings.detection.pictures import LABELS

TIMES = np.arange(0.25, 14, 0.5)  # two frames a second
MISSED, WEAK, NOISE = 0.02, 0.03, 0.02
SIZE_PX = (160, 100)


def detected(truth, rng):
    """Return the true boxes as a detector finds them: a little beside, weak, or not at all."""
    count = len(truth.labels)
    sides = np.tile(truth.boxes[:, 2:] - truth.boxes[:, :2], 2)
    boxes = np.clip(truth.boxes + rng.normal(0, NOISE, (count, 4)) * sides, 0, 1)
    scores = np.where(rng.random(count) < WEAK, 0.3, 0.8)
    labels = np.array([LABELS.index(label) for label in truth.labels], np.int32)
    found = rng.random(count) >= MISSED
    return Detections(boxes[found], scores[found], labels[found])


def test_drawn_figures_keep_their_tracks():
    accuracy, rng = Accuracy(), np.random.default_rng(1)
    settings = TrackerSettings.of_threshold(0.5)
    for index in range(len(KINDS)):
        accuracy.begin_video()
        tracker = new_tracker()
        pictures = observed(scene_of(index), TIMES, SIZE_PX)
        for seconds, (_, truth) in zip(TIMES.tolist(), pictures, strict=True):
            detections = detected(truth, rng)
            tracker, ids = advance(tracker, detections, seconds, settings)
            strong = detections.scores >= settings.strong_score
            labels = [LABELS[label] for label in detections.labels[strong].tolist()]
            accuracy.add(truth, Boxes(detections.boxes[strong], labels, ids[strong].tolist()))
    assert accuracy.things > 700
    assert accuracy.switches <= 2
    assert accuracy.mota >= 0.9


def boxes(*lefts, ids, labels=None, hidden=()):
    rows = np.array([[left, 0.2, left + 0.2, 0.6] for left in lefts]).reshape(-1, 4)
    return Boxes(rows, labels or ["car"] * len(ids), list(ids), hidden)


def counted(*frames):
    accuracy = Accuracy()
    for truth, found in frames:
        accuracy.add(truth, found)
    return accuracy


def test_what_is_found_is_right():
    accuracy = counted(*[(boxes(0.1, 0.5, ids=[1, 2]), boxes(0.51, 0.1, ids=[7, 8]))] * 3)
    assert (accuracy.things, accuracy.mota) == (6, 1.0)


def test_missed_and_false_boxes_count():
    accuracy = counted(
        (boxes(0.1, 0.5, ids=[1, 2]), boxes(0.1, ids=[7])),
        (boxes(0.1, 0.5, ids=[1, 2]), boxes(0.1, 0.5, 0.75, ids=[7, 8, 9])),
        (boxes(0.1, ids=[1]), boxes(0.1, ids=[7], labels=["bus"])),
    )
    assert (accuracy.things, accuracy.missed, accuracy.false) == (5, 2, 2)
    assert accuracy.mota == pytest.approx(1 - 4 / 5)


def test_another_track_of_a_thing_is_a_switch():
    accuracy = counted(
        (boxes(0.1, ids=[1]), boxes(0.1, ids=[7])),
        (boxes(0.1, ids=[1]), boxes(ids=[])),
        (boxes(0.1, ids=[1]), boxes(0.1, ids=[8])),
        (boxes(0.1, ids=[1]), boxes(0.1, ids=[8])),
    )
    assert (accuracy.switches, accuracy.missed) == (1, 1)


def test_a_pair_stays_a_pair_while_its_boxes_overlap():
    """The second track is nearer, and the first one is still near enough."""
    accuracy = counted(
        (boxes(0.1, ids=[1]), boxes(0.1, ids=[7])),
        (boxes(0.1, ids=[1]), boxes(0.14, 0.1, ids=[7, 8])),
    )
    assert (accuracy.switches, accuracy.false) == (0, 1)


def test_a_hidden_thing_counts_for_nothing():
    hidden = boxes(0.1, ids=[1], hidden=[True])
    found, nothing = boxes(0.1, ids=[7]), boxes(ids=[])
    assert vars(counted((hidden, found), (hidden, nothing))) == vars(Accuracy())
    again = counted((boxes(0.1, ids=[1]), found), (hidden, boxes(0.1, ids=[8])))
    assert again.switches == 0
