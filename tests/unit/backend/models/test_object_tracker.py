# SPDX-License-Identifier: Apache-2.0
"""Answers of `object_tracker`: tracks by sequence, refusals, and the limit of sequences."""

import numpy as np
import pytest
from support.repository import config_json

from trireel_backend.errors import Full, InvalidInput, StartupError
from trireel_backend.metrics.family import Tally
from trireel_backend.models.object_tracker import SequenceTracker
from trireel_backend.models.temporal_decoder import LIVE_SEQUENCES
from trireel_backend.wire.request import Request


def tracker_of(tally=None, **parameters):
    config = config_json("object_tracker", "embedded", parameters)
    return SequenceTracker.of_model(config, tally or Tally())


def inputs(first, count=4, *, left=0.1):
    """Return frames of two that walk to the right, and of one box that is nothing."""
    lefts = left + 0.02 * np.arange(first, first + count)
    boxes = np.zeros((count, 3, 4), np.float32)
    boxes[:, 0] = np.stack([lefts, np.full(count, 0.1), lefts + 0.1, np.full(count, 0.4)], axis=1)
    boxes[:, 1] = boxes[:, 0] + np.float32([0, 0.5, 0, 0.5])
    scores = np.tile(np.float32([0.9, 0.8, 0.0]), (count, 1))
    labels = np.zeros((count, 3), np.int32)
    times = (first + np.arange(count)) / 2
    return {"BOXES": boxes, "SCORES": scores, "LABELS": labels, "TIMESTAMPS": times}


def ask(tracker, arrays, *, start=False, end=False, sequence="v"):
    request = Request(arrays.get, correlation_id=sequence, starts=start, ends=end)
    return tracker.answer(request)["BOX_TRACK_IDS"].tolist()


def test_tracks_go_on_from_request_to_request():
    tracker = tracker_of()
    assert ask(tracker, inputs(0), start=True) == [[1, 2, -1]] * 4
    assert ask(tracker, inputs(0, left=0.5), start=True, sequence=7) == [[1, 2, -1]] * 4
    assert ask(tracker, inputs(4), end=True) == [[1, 2, -1]] * 4
    with pytest.raises(InvalidInput, match="not open"):
        ask(tracker, inputs(8))


def test_the_threshold_decides_what_begins_a_track():
    high = {**inputs(0), "OBJECTS_THRESHOLD": np.float32([0.85])}
    assert ask(tracker_of(), high, start=True) == [[1, -1, -1]] * 4


def test_frames_without_boxes_have_an_answer():
    nothing = {name: array[:, :0] for name, array in inputs(0).items() if array.ndim > 1}
    nothing["TIMESTAMPS"] = inputs(0)["TIMESTAMPS"]
    assert ask(tracker_of(), nothing, start=True) == [[]] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TIMESTAMPS": np.arange(3.0)}, r"TIMESTAMPS \[4, 3\], \[4, 3\], \[3\]: send \[f, K, 4\]"),
        ({"SCORES": np.full((4, 3), np.nan, np.float32)}, "SCORES hold a value that is not a num"),
        ({"BOXES": np.full((4, 3, 4), np.inf, np.float32)}, "BOXES hold a value that is not a num"),
        ({"TIMESTAMPS": np.zeros(4)}, "TIMESTAMPS do not increase"),
        ({"TIMESTAMPS": np.array([0, 1, 2, np.nan])}, "TIMESTAMPS do not increase"),
        ({"OBJECTS_THRESHOLD": np.float32([1.5])}, "OBJECTS_THRESHOLD is 1.5"),
        ({"SCORES": None}, "lacks SCORES"),
    ],
)
def test_a_wrong_request_changes_no_video(changes, message):
    tracker = tracker_of()
    ask(tracker, inputs(0), start=True)
    with pytest.raises(InvalidInput, match=message):
        ask(tracker, {**inputs(4), **changes})
    assert ask(tracker, inputs(4)) == [[1, 2, -1]] * 4


def test_late_frames_are_rejected_and_change_nothing():
    tracker = tracker_of()
    ask(tracker, inputs(0), start=True)
    with pytest.raises(InvalidInput, match=r"begin at 1 s, and the last frame .* was at 1\.5 s"):
        ask(tracker, inputs(2))
    assert ask(tracker, inputs(4)) == [[1, 2, -1]] * 4


def test_too_many_boxes_are_rejected():
    many = np.zeros((51, 200), np.float32)
    arrays = {"BOXES": np.zeros((51, 200, 4), np.float32), "SCORES": many}
    arrays |= {"LABELS": many.astype(np.int32), "TIMESTAMPS": np.arange(51.0)}
    with pytest.raises(InvalidInput, match=r"51 frames of 200 boxes: send .* at most 10000 boxes"):
        ask(tracker_of(), arrays, start=True)


def test_the_number_of_sequences_is_bounded():
    tally = Tally()
    tracker = tracker_of(tally, max_sequences="1")
    ask(tracker, inputs(0), start=True)
    with pytest.raises(Full, match="1 sequences are open"):
        ask(tracker, inputs(0), start=True, sequence="w")
    ask(tracker, inputs(0), start=True)  # begins anew
    ask(tracker, inputs(0), start=True, end=True, sequence="w")  # opens none
    assert tally.numbers[LIVE_SEQUENCES.name, ""] == 1
    with pytest.raises(StartupError, match="max_sequences is 0"):
        tracker_of(max_sequences="0")
