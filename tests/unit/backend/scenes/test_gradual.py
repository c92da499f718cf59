# SPDX-License-Identifier: Apache-2.0
"""Dissolves and wipes of drawn footage; and motion, which is neither."""

import numpy as np
import pytest
from PIL import Image
from support.footage import brightened, cut_at, dissolved, panned, shares, shot, times, wiped

from trireel_backend.scenes.gradual import WIPE_SCORE, kind, windows
from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.judge import find_transitions
from trireel_backend.scenes.transitions import CUT, DISSOLVE, WIPE

BEGIN_SECONDS = 1.0


def gradual(frames, seconds):
    """Return kind, begin and end of each gradual transition of a run."""
    run = Run(frames, seconds)
    kinds = [(kind(run, window), window) for window in windows(run, [], WIPE_SCORE)]
    return [(k, float(seconds[w.first]), float(seconds[w.last])) for k, w in kinds if k]


def mixture(mix, pair, duration_seconds, fps=25.0):
    seconds = times(2 * BEGIN_SECONDS + duration_seconds, fps)
    before, after = (shot(number, seconds) for number in pair)
    return mix(before, after, shares(seconds, BEGIN_SECONDS, duration_seconds)), seconds


@pytest.mark.parametrize("pair", [(0, 1), (3, 9), (14, 6), (4, 16)])
@pytest.mark.parametrize("duration_seconds", [0.3, 0.6, 1.5])
def test_a_dissolve_is_an_interval(pair, duration_seconds):
    frames, seconds = mixture(dissolved, pair, duration_seconds)
    ((name, begin, end),) = gradual(frames, seconds)
    assert name == DISSOLVE
    tolerance = 0.05 + 0.2 * duration_seconds  # lengths are tried in steps
    assert (begin, end) == pytest.approx(
        (BEGIN_SECONDS, BEGIN_SECONDS + duration_seconds), abs=tolerance
    )
    assert (begin + end) / 2 == pytest.approx(BEGIN_SECONDS + duration_seconds / 2, abs=0.21)


@pytest.mark.parametrize("fps", [12, 24, 29.97, 50, 60])
def test_a_dissolve_at_other_rates(fps):
    frames, seconds = mixture(dissolved, (2, 13), 0.6, fps)
    ((name, begin, end),) = gradual(frames, seconds)
    assert name == DISSOLVE
    assert (begin, end) == pytest.approx((1.0, 1.6), abs=0.17)


def test_a_dissolve_at_a_variable_rate():
    rng = np.random.default_rng(1)
    seconds = np.cumsum(rng.choice([0.02, 0.033, 0.05], 90))
    before, after = shot(5, seconds), shot(10, seconds)
    frames = dissolved(before, after, shares(seconds, 1.2, 0.8))
    ((name, begin, end),) = gradual(frames, seconds)
    assert name == DISSOLVE
    assert (begin, end) == pytest.approx((1.2, 2.0), abs=0.17)


def test_the_time_of_a_dissolve_is_its_middle_frame():
    frames, seconds = mixture(dissolved, (3, 9), 0.6)
    (found,) = find_transitions(Run(frames, seconds))
    assert found.seconds in seconds.tolist()
    assert found.begin_seconds < found.seconds < found.end_seconds
    middle = (found.begin_seconds + found.end_seconds) / 2
    assert 0 <= found.seconds - middle < 0.04 + 1e-9
    assert found.seconds == pytest.approx(BEGIN_SECONDS + 0.3, abs=0.08)


@pytest.mark.parametrize("pair", [(0, 1), (5, 12), (15, 2)])
@pytest.mark.parametrize("duration_seconds", [0.6, 1.2])
def test_a_wipe_is_found_once_and_is_no_cut(pair, duration_seconds):
    frames, seconds = mixture(wiped, pair, duration_seconds)
    (found,) = find_transitions(Run(frames, seconds))
    assert found.kind == WIPE
    end_seconds = BEGIN_SECONDS + duration_seconds
    assert found.begin_seconds < end_seconds
    assert found.end_seconds > BEGIN_SECONDS
    assert BEGIN_SECONDS < found.seconds < end_seconds


@pytest.mark.parametrize("number", range(1, 20, 4))
def test_people_who_move_are_no_transition(number):
    seconds = times(3, 15)
    assert gradual(shot(number, seconds), seconds) == []


@pytest.mark.parametrize("px_per_second", [5, 20, 60])
def test_a_pan_is_no_transition(px_per_second):
    seconds = times(3, 25)
    assert find_transitions(Run(panned(16, seconds, px_per_second), seconds)) == []


def test_a_zoom_is_no_transition():
    seconds = times(2.4, 25)
    still = Image.fromarray(shot(12, np.zeros(1))[0]).resize((480, 270), Image.Resampling.BICUBIC)
    frames = []
    for share in seconds / seconds[-1]:
        box = (120 * share, 67 * share, 480 - 120 * share, 270 - 67 * share)
        frames.append(np.asarray(still.resize((48, 27), Image.Resampling.BOX, box)))
    assert find_transitions(Run(np.stack(frames), seconds)) == []


@pytest.mark.parametrize("number", [0, 3, 8])
def test_a_lamp_that_is_turned_up_a_little_is_no_dissolve(number):
    seconds = times(3, 25)
    levels = np.rint(15 * shares(seconds, 1.0, 0.8)).astype(int)
    pairs = zip(shot(number, seconds), levels, strict=True)
    brighter = [brightened(frame, level) for frame, level in pairs]
    assert gradual(np.stack(brighter), seconds) == []


def test_a_cut_within_a_dissolve_is_a_part_of_it_unless_clear():
    frames, seconds = mixture(dissolved, (0, 1), 0.6)
    assert [t.kind for t in find_transitions(Run(frames, seconds))] == [DISSOLVE]
    with_cut = np.where((seconds >= 2.0)[:, None, None, None], shot(7, seconds), frames)
    assert [t.kind for t in find_transitions(Run(with_cut, seconds))] == [DISSOLVE, CUT]


def test_no_window_contains_a_hard_cut():
    seconds = times(2, 25)
    run = Run(cut_at(seconds, [1.0], [3, 9]), seconds)
    for window in windows(run, [25], 0.5):
        assert not window.first < 25 <= window.last


def test_of_overlapping_windows_the_best_is_kept():
    frames, seconds = mixture(dissolved, (3, 9), 1.5)
    found = windows(Run(frames, seconds), [], WIPE_SCORE)
    for one in found:
        assert not any(one is not other and one.overlaps(other) for other in found)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_very_few_frames_have_no_windows(count):
    seconds = times(1, 25)[:count]
    frames = np.zeros((count, 27, 48, 3), np.uint8)
    assert windows(Run(frames, seconds), [], WIPE_SCORE) == []
    assert find_transitions(Run(frames, seconds)) == []
