# SPDX-License-Identifier: Apache-2.0
"""Tracks of made-up detections, and the same tracks as another implementation of ByteTrack."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trireel_backend.findings.codec import Reader, Writer
from trireel_backend.tracking.tracker import (
    MOST_DETECTIONS,
    MOST_LIVE_TRACKS,
    Detections,
    Tracker,
    TrackerSettings,
    advance,
    new_tracker,
)

ORACLE = Path(__file__).with_name("oracle.npz")
SETTINGS = TrackerSettings.of_threshold(0.5)


def detections(*rows):
    """Return detections of (left, top, width, height, score, label)."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
    return Detections(boxes, table[:, 4], table[:, 5].astype(np.int32))


def tracked(frames, fps=2.0, tracker=None, first=0):
    """Return the tracks of each frame's detections, and the tracker after the last frame."""
    tracker, ids = tracker or new_tracker(), []
    for index, frame in enumerate(frames, first):
        tracker, found = advance(tracker, frame, index / fps, SETTINGS)
        ids.append(found.tolist())
    return ids, tracker


def walk(left, step, count, score=0.9, label=0):
    return [detections((left + step * i, 0.4, 0.1, 0.2, score, label)) for i in range(count)]


def together(*walks):
    return [
        Detections(*(np.concatenate([getattr(d, n) for d in parts]) for n in FIELDS))
        for parts in zip(*walks, strict=True)
    ]


FIELDS = ("boxes", "scores", "labels")


def test_two_that_pass_each_other_keep_their_tracks():
    ids, _ = tracked(together(walk(0.1, 0.05, 10), walk(0.6, -0.05, 10)), fps=4.0)
    assert ids == [[1, 2]] * 10


def test_a_hidden_object_goes_on_within_the_buffer():
    frames = walk(0.1, 0.02, 16)
    frames[4:9] = [detections()] * 5
    ids, _ = tracked(frames)
    assert ids[:4] == [[1]] * 4
    assert ids[9:] == [[1]] * 7


@pytest.mark.parametrize("fps", [2.0, 10.0])
def test_a_track_ends_after_the_buffer_at_any_rate(fps):
    missing = int(SETTINGS.buffer_seconds * fps) + 1
    ids, _ = tracked([*walk(0.4, 0, 4), *[detections()] * missing, *walk(0.4, 0, 2)], fps)
    assert ids[-1] == [2]


def test_a_weak_detection_continues_and_begins_no_track():
    weak = walk(0.1, 0.02, 3, score=0.2)
    assert tracked(weak)[0] == [[-1]] * 3
    frames = walk(0.1, 0.02, 6)
    frames[3] = walk(0.16, 0, 1, score=0.2)[0]
    assert tracked(frames)[0] == [[1]] * 6


def test_a_detection_below_the_weak_score_is_nothing():
    frames = walk(0.1, 0.02, 4)
    frames[3] = walk(0.16, 0, 1, score=0.05)[0]
    assert tracked(frames)[0][3] == [-1]


def test_another_label_is_another_object():
    ids, _ = tracked([*walk(0.4, 0, 2, label=1), *walk(0.4, 0, 2, label=2)])
    assert ids == [[1], [1], [2], [2]]


def test_an_object_that_is_faster_than_its_width_is_one():
    ids, _ = tracked(walk(0.05, 0.14, 6))
    assert ids == [[1]] * 6


def test_a_track_waits_after_its_first_detection_too():
    """At two frames a second the next one may well be missed; ByteTrack would end the track."""
    ids, tracker = tracked([*walk(0.4, 0, 1), detections(), *walk(0.4, 0, 1)])
    assert ids == [[1], [], [1]]
    assert tracker.ids.tolist() == [1]


def test_the_number_of_live_tracks_is_bounded():
    crowds = [
        detections(*((x / 400, y, 0.001, 0.05, 0.9, 0) for x in range(400)))
        for y in (0.1, 0.4, 0.7)
    ]
    ids, tracker = tracked([crowd for crowd in crowds for _ in range(2)])
    assert [sum(track > 0 for track in frame) for frame in ids] == [MOST_DETECTIONS] * 6
    assert len(tracker.ids) == MOST_LIVE_TRACKS < tracker.next_id
    assert (tracker.seen_seconds == 2.5).sum() == MOST_DETECTIONS


def test_tracks_of_different_lengths_are_no_state():
    with pytest.raises(ValueError, match="lengths"):
        Tracker(**{**vars(tracked(walk(0.1, 0, 2))[1]), "ids": np.zeros(3, np.int64)})


ROW = st.tuples(
    *(st.floats(0, 0.9) for _ in range(2)),
    *(st.floats(0.01, 0.5) for _ in range(2)),
    st.floats(0, 1),
    st.integers(0, 2),
)
FRAMES = st.lists(st.lists(ROW, max_size=6).map(lambda rows: detections(*rows)), max_size=8)


@settings(deadline=None)
@given(FRAMES, st.integers(0, 8))
def test_a_state_written_in_the_middle_goes_on_the_same(frames, cut):
    whole, last = tracked(frames)
    first, tracker = tracked(frames[:cut])
    writer = Writer()
    tree = writer.write(tracker, Tracker)
    restored = Reader(memoryview(b"".join(writer.arrays))).read(tree, Tracker)
    second, after = tracked(frames[cut:], tracker=restored, first=len(frames[:cut]))
    assert first + second == whole
    assert after.motion.values.tolist() == last.motion.values.tolist()


@settings(deadline=None)
@given(FRAMES)
def test_a_track_has_one_label_and_one_box_in_a_frame(frames):
    labels = {}
    for frame, ids in zip(frames, tracked(frames)[0], strict=True):
        real = [track for track in ids if track > 0]
        assert len(set(real)) == len(real)
        for label, score, track in zip(frame.labels, frame.scores, ids, strict=True):
            if track > 0:
                assert labels.setdefault(track, label) == label
            else:
                assert score < SETTINGS.strong_score


@settings(deadline=None)
@given(FRAMES, st.floats(0.1, 3))
def test_a_wider_picture_changes_no_track(frames, factor):
    """Fractions of the picture or pixels: the tracks are the same."""
    scale = np.array([factor, 1.0, factor, 1.0])
    wider = [Detections(f.boxes * scale, f.scores, f.labels) for f in frames]
    assert tracked(wider)[0] == tracked(frames)[0]


@pytest.mark.parametrize("scene", range(4))
def test_tracks_are_those_of_another_implementation(scene):
    """Each of its tracks is one of ours, whatever is missed, weak, false or hidden.

    In scene 2 it begins another track behind a false box, and ours goes on.
    """
    with np.load(ORACLE) as recorded:
        rows = recorded[f"detections_{scene}"].astype(np.float64)
        theirs = recorded[f"tracks_{scene}"]
    ours = np.full(len(rows), -1)
    tracker = new_tracker()
    for frame in range(120):
        here = np.flatnonzero(rows[:, 0] == frame)
        boxes, scores = rows[here, 1:5], rows[here, 5]
        frame_detections = Detections(boxes, scores, np.zeros(len(here), np.int32))
        tracker, ours[here] = advance(tracker, frame_detections, frame / 10.0, SETTINGS)
    both = theirs >= 0
    pairs = set(zip(theirs[both].tolist(), ours[both].tolist(), strict=True))
    assert len(pairs) == len({their for their, _ in pairs}) == theirs.max() + 1
    assert len({our for _, our in pairs} - {-1}) == len(pairs) - (scene == 2)
