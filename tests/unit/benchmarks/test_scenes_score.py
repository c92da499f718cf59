# SPDX-License-Identifier: Apache-2.0
"""The scorer of cuts: matching, tolerances in frames and seconds, kinds, errors of time."""

import pytest

from benchmarks.common.counts import Counts, total
from benchmarks.scenes.score import (
    TOLERANCES,
    Event,
    Transition,
    Video,
    count,
    match,
    summary,
    time_errors,
)

PTS = tuple(round(index * 0.04, 6) for index in range(250))
NONE, ONE, HALF_SECOND = TOLERANCES.values()


def cut(seconds: float) -> Transition:
    return Transition("cut", seconds, seconds)


def video(*transitions: Transition, pts: tuple[float, ...] = PTS) -> Video:
    return Video(transitions, pts)


def events(*seconds: float) -> list[Event]:
    return [Event.at(at) for at in seconds]


@pytest.mark.parametrize(
    ("late_frames", "expected"), [(0, [1, 1, 1]), (1, [0, 1, 1]), (2, [0, 0, 1]), (13, [0, 0, 0])]
)
def test_a_late_cut_matches_within_the_tolerance(late_frames, expected):
    found = events(4.0 + 0.04 * late_frames)
    pairs = [len(match(video(cut(4.0)), found, tolerance)) for tolerance in TOLERANCES.values()]
    assert pairs == expected


def test_a_time_between_two_frames_is_not_exact():
    assert match(video(cut(4.0)), events(4.018), NONE) == []
    assert len(match(video(cut(4.0)), events(4.018), ONE)) == 1


def test_a_cut_counts_once_however_often_it_is_reported():
    counts = count(video(cut(4.0)), events(4.0, 4.0, 4.04), ONE)
    assert counts == {"cut": Counts(hits=1, missed=0, false=2)}


def test_an_event_stands_for_a_single_cut():
    counts = count(video(cut(4.0), cut(4.04)), events(4.0), ONE)
    assert counts == {"cut": Counts(hits=1, missed=1, false=0)}


def test_matching_finds_the_most_pairs():
    # The first event is nearer to the second cut, yet both cuts can be matched.
    truth = video(cut(4.0), cut(4.08))
    pairs = match(truth, events(4.08 - 0.04, 4.12), ONE)
    assert [(t.begin_seconds, e.seconds) for t, e in pairs] == [(4.0, 4.04), (4.08, 4.12)]


def test_frames_of_an_uneven_rate_count_as_they_are():
    pts = (0.0, 0.02, 0.04, 0.5, 1.0, 1.02)
    uneven = video(cut(1.0), pts=pts)
    assert len(match(uneven, events(0.5), ONE)) == 1
    assert match(uneven, events(0.04), ONE) == []


def test_a_gradual_transition_matches_by_interval():
    truth = video(Transition("dissolve", 2.0, 2.6))
    for inside in (Event.at(2.0), Event.at(2.6), Event(1.5, 1.0, 2.04), Event(3.0, 2.56, 3.4)):
        assert len(match(truth, [inside], NONE)) == 1
    assert match(truth, events(2.64), NONE) == []
    assert len(match(truth, events(1.96), ONE)) == len(match(truth, events(2.64), ONE)) == 1
    assert match(truth, events(2.68), ONE) == []


def test_an_interval_over_a_cut_matches_by_its_time():
    long_event = Event(4.2, 3.8, 4.6)
    assert match(video(cut(4.0)), [long_event], ONE) == []


def test_a_false_event_counts_for_the_nearest_kind():
    truth = video(cut(2.0), Transition("wipe", 6.0, 6.8))
    counts = count(truth, events(2.0, 7.5), ONE)
    assert counts == {"cut": Counts(1, 0, 0), "wipe": Counts(0, 1, 1)}
    assert count(video(), events(7.5), ONE) == {"cut": Counts(0, 0, 1)}


def test_precision_recall_and_f1():
    counts = total([Counts(3, 1, 0), Counts(3, 0, 2)])
    assert (counts.precision, counts.recall) == (6 / 8, 6 / 7)
    assert counts.f1 == pytest.approx(2 * (6 / 8) * (6 / 7) / (6 / 8 + 6 / 7))
    assert (Counts().precision, Counts().recall, Counts().f1) == (1, 1, 1)
    assert (Counts(missed=2).f1, Counts(false=2).f1) == (0, 0)


def test_time_errors_are_of_matched_cuts_only():
    truth = video(cut(2.0), cut(5.0), cut(8.0), Transition("fade", 6.0, 6.8))
    errors = time_errors(truth, events(2.0, 5.06, 6.1, 9.5))
    assert [error.seconds for error in errors] == pytest.approx([0.0, 0.06])
    assert [error.half_frames for error in errors] == pytest.approx([0.0, 3.0])


def test_half_frames_are_those_of_the_shorter_neighbour():
    pts = (0.0, 0.1, 0.12, 0.2)
    (error,) = time_errors(video(cut(0.12), pts=pts), events(0.13))
    assert error.half_frames == pytest.approx(1.0)


def test_a_summary_has_median_p95_and_maximum():
    assert summary([]) == {}
    assert summary(list(range(100))) == {"median": 49.5, "p95": 95, "max": 99}
