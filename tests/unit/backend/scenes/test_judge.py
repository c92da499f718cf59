# SPDX-License-Identifier: Apache-2.0
"""Transitions by the pictures alone, and together with TransNetV2's scores."""

import itertools

import numpy as np
import pytest
from support.footage import (
    BLACK,
    cut_at,
    dissolved,
    shade,
    shares,
    shot,
    times,
    varied,
    wiped,
)
from support.shots import shots_folder

from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.judge import Scores, find_transitions
from trireel_backend.scenes.transitions import CUT, DISSOLVE, WIPE
from trireel_backend.shots.files import load_windows

SECONDS = times(4, 25)
COUNT = len(SECONDS)


def scores(single=None, many=None, *, judged=None):
    """Return scores of all frames: 0, but for those named; NaN if not judged."""
    values = [np.zeros(COUNT, np.float32) for _ in range(2)]
    for array, named in zip(values, (single, many), strict=True):
        for index, value in (named or {}).items():
            array[index] = value
        if judged is not None:
            array[~judged] = np.nan
    return Scores(SECONDS, *values)


def found(frames, given_scores=None):
    transitions = find_transitions(Run(frames, SECONDS), given_scores)
    return [(t.kind, round(t.seconds, 6)) for t in transitions]


@pytest.fixture(scope="module")
def one_cut():
    return cut_at(SECONDS, [2.0], [3, 9])


@pytest.fixture(scope="module")
def still():
    return np.repeat(shot(8, np.zeros(1)), COUNT, axis=0)


def test_scores_confirm_a_cut(one_cut):
    assert found(one_cut) == [(CUT, 2.0)]
    assert found(one_cut, scores({49: 0.9}, {49: 0.9, 50: 0.8})) == [(CUT, 2.0)]


def test_scores_of_almost_nothing_reject_a_cut(one_cut):
    assert found(one_cut, scores()) == []
    assert found(one_cut, scores({49: 0.03})) == [(CUT, 2.0)]  # it stands out clearly


@pytest.mark.parametrize("offset", [-3, 3])
def test_a_peak_may_lie_a_few_frames_away(one_cut, offset):
    assert found(one_cut, scores({49 + offset: 0.4})) == [(CUT, 2.0)]
    assert found(one_cut, scores({49 + 3 * offset: 0.4})) == []


def test_frames_that_were_not_judged_reject_nothing(one_cut):
    judged = np.zeros(COUNT, bool)
    assert found(one_cut, scores(judged=judged)) == [(CUT, 2.0)]
    judged[:20] = True
    assert found(one_cut, scores(judged=judged)) == [(CUT, 2.0)]


def test_a_cut_that_only_transnetv2_sees_is_at_the_largest_step(still):
    frames = still.copy()
    frames[60:] = np.clip(frames[60:].astype(int) + np.array([2, -2, 1]), 0, 255)
    assert found(frames) == []
    (cut,) = find_transitions(Run(frames, SECONDS), scores({59: 0.8}, {59: 0.9, 60: 0.7}))
    assert (cut.kind, cut.seconds) == (CUT, 2.4)
    assert cut.begin_seconds == cut.end_seconds == cut.seconds
    assert cut.reason == "TransNetV2 sees a cut"
    assert cut.score == pytest.approx(0.8)


def test_a_gradual_transition_that_only_transnetv2_sees(still):
    """A blur from one scene to the other in three steps, which is no straight line."""
    other = shot(9, np.zeros(1))[0]
    frames = still.copy()
    frames[48:] = other
    for index, shift in ((42, 5), (45, 11)):
        frames[index : index + 3] = np.roll(still[0] // 2 + other // 2, shift, axis=1)
    many = dict.fromkeys(range(40, 60), 0.6)
    quiet = [t for t in find_transitions(Run(frames, SECONDS)) if t.kind != CUT]
    assert quiet == []
    found_now = find_transitions(Run(frames, SECONDS), scores({50: 0.001}, many))
    (gradual,) = (t for t in found_now if t.kind == DISSOLVE)
    assert (gradual.begin_seconds, gradual.end_seconds) == (1.6, 2.4)
    assert gradual.seconds == 2.0
    assert gradual.reason == "TransNetV2 sees a gradual transition"


def test_what_interrupts_a_scene_is_no_transition_though_transnetv2_sees_one(still):
    frames = still.copy()
    frames[48:52] = shot(9, np.zeros(1))[0]
    many = dict.fromkeys(range(44, 56), 0.9)
    assert found(frames, scores({47: 0.8, 51: 0.8}, many)) == []
    assert found(still, scores({50: 0.3}, many)) == []


@pytest.mark.parametrize("name", ["cuts between drawings", "a flash in a static shot", "noise"])
def test_transnetv2s_own_answers(name):
    """It sees a cut at the end of the flash, and the pictures show that it is none."""
    known = load_windows(shots_folder())
    index = list(known.names).index(name)
    given_scores = Scores(SECONDS, known.single[index], known.many[index])
    expected = [(CUT, 1.96)] if name == "cuts between drawings" else []
    assert found(known.frames[index], given_scores) == expected


@pytest.mark.parametrize("many", [0.3, 0.1])
def test_weak_scores_alone_are_no_transition(still, many):
    assert found(still, scores({50: many}, dict.fromkeys(range(40, 60), many))) == []
    assert found(still, scores({50: 0.4}, {50: 0.4, 51: 0.4})) == []


def test_scores_at_the_first_and_the_last_frame_are_no_error(one_cut):
    everywhere = dict.fromkeys((0, 1, COUNT - 2, COUNT - 1), 0.9)
    for transition in find_transitions(Run(one_cut, SECONDS), scores(everywhere, everywhere)):
        assert SECONDS[0] < transition.begin_seconds <= transition.end_seconds <= SECONDS[-1]
    all_frames = dict.fromkeys(range(COUNT), 0.9)
    assert found(one_cut, scores(all_frames, all_frames)) == [(CUT, 2.0)]
    last_cut = cut_at(SECONDS, [float(SECONDS[-1])], [3, 9])
    assert found(last_cut, scores({COUNT - 2: 0.9}, {COUNT - 1: 0.9}))[-1][0] == CUT


def test_a_dissolve_is_not_reported_twice():
    before, after = shot(3, SECONDS), shot(9, SECONDS)
    frames = dissolved(before, after, shares(SECONDS, 1.6, 0.8))
    many = dict.fromkeys(range(41, 58), 0.9)
    (one,) = find_transitions(Run(frames, SECONDS), scores({49: 0.8}, many))
    (other,) = find_transitions(Run(frames, SECONDS))
    assert one == other
    assert one.kind == DISSOLVE


def test_a_clear_dissolve_needs_no_scores_but_a_weak_one_does():
    before, after = shot(3, SECONDS), shot(9, SECONDS)
    frames = dissolved(before, after, shares(SECONDS, 1.6, 0.8))
    assert [kind for kind, _ in found(frames, scores())] == [DISSOLVE]
    pale = (frames * 0.12 + 110).astype(np.uint8)
    (weak,) = find_transitions(Run(pale, SECONDS))
    assert weak.kind == DISSOLVE
    assert weak.score < 25
    assert found(pale, scores()) == []
    assert found(pale, scores(many={48: 0.3})) == [(DISSOLVE, round(weak.seconds, 6))]


def test_a_wipe_needs_no_scores():
    frames = wiped(shot(0, SECONDS), shot(1, SECONDS), shares(SECONDS, 1.6, 0.8))
    assert [kind for kind, _ in found(frames, scores())] == [WIPE]


def test_a_ramp_from_black_at_the_begin_is_none_for_scores_too():
    frames = dissolved(shade(BLACK, COUNT), shot(2, SECONDS), shares(SECONDS, 0.3, 0.8))
    many = dict.fromkeys(range(8, 28), 0.9)
    assert found(frames) == []
    assert found(frames, scores({18: 0.7}, many)) == []


def test_transitions_come_in_order_and_do_not_overlap():
    frames, seconds = varied()
    transitions = find_transitions(Run(frames, seconds))
    for one, other in itertools.pairwise(transitions):
        assert one.end_seconds <= other.begin_seconds
        assert one.seconds < other.seconds
    for transition in transitions:
        assert transition.begin_seconds <= transition.seconds <= transition.end_seconds
        assert transition.seconds in seconds
        assert transition.reason
