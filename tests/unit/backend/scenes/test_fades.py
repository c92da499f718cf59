# SPDX-License-Identifier: Apache-2.0
"""Fades: scenes that follow each other by way of a picture of one shade."""

import numpy as np
import pytest
from support.footage import BLACK, WHITE, cut_at, dissolved, shade, shares, shot, times

from trireel_backend.scenes.fades import fades
from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.judge import find_transitions
from trireel_backend.scenes.transitions import CUT, FADE

SECONDS = times(4, 25)


def faded(before, after, level, *, out=(1.0, 0.6), back=(1.8, 0.6)):
    """Return frames that go to a shade and come back; begin and length of both ramps."""
    blank = shade(level, len(SECONDS))
    down = dissolved(before, blank, shares(SECONDS, *out))
    up = dissolved(blank, after, shares(SECONDS, *back))
    return np.where((back[0] > SECONDS)[:, None, None, None], down, up)


def intervals(frames):
    found = fades(Run(frames, SECONDS))
    return [(float(SECONDS[fade.first]), float(SECONDS[fade.last])) for fade in found]


@pytest.mark.parametrize("level", [BLACK, WHITE, 90])
@pytest.mark.parametrize("pair", [(0, 9), (3, 14), (16, 5)])
def test_a_fade_is_one_transition(level, pair):
    frames = faded(*(shot(number, SECONDS) for number in pair), level)
    assert intervals(frames) == [pytest.approx((1.0, 2.4), abs=0.13)]
    (found,) = find_transitions(Run(frames, SECONDS))
    assert found.kind == FADE
    assert found.seconds == pytest.approx(1.7, abs=0.1)
    assert found.begin_seconds < found.seconds < found.end_seconds


def test_a_video_that_begins_and_ends_black_has_no_fade_there():
    picture = shot(2, SECONDS)
    black = shade(BLACK, len(SECONDS))
    frames = dissolved(black, picture, shares(SECONDS, 0.4, 0.6))
    frames = dissolved(frames, black, shares(SECONDS, 2.8, 0.6))
    assert intervals(frames) == []
    assert find_transitions(Run(frames, SECONDS)) == []


def test_a_cut_to_black_and_back_to_another_scene_is_a_fade():
    frames = cut_at(SECONDS, [2.0], [6, 17])
    frames[50:60] = BLACK
    assert intervals(frames) == [pytest.approx((1.96, 2.4), abs=0.05)]
    assert [found.kind for found in find_transitions(Run(frames, SECONDS))] == [FADE]


def test_a_dark_moment_within_a_scene_is_no_fade():
    picture = shot(11, SECONDS)
    frames = faded(picture, picture, BLACK)
    assert intervals(frames) == []


def test_black_for_long_is_a_scene_of_its_own():
    frames = cut_at(SECONDS, [1.0], [6, 17])
    frames[25:75] = BLACK
    assert intervals(frames) == []
    assert [(t.kind, t.seconds) for t in find_transitions(Run(frames, SECONDS))] == [
        (CUT, 1.0),
        (CUT, 3.0),
    ]


def test_two_fades_follow_each_other():
    seconds = times(6, 25)
    frames = cut_at(seconds, [2.0, 4.0], [1, 8, 13])
    for middle in (2.0, 4.0):
        share = 1 - np.abs(seconds - middle).clip(0, 0.5) / 0.5
        frames = dissolved(frames, shade(BLACK, len(seconds)), share)
    found = find_transitions(Run(frames, seconds))
    assert [f.kind for f in found] == [FADE, FADE]
    assert [f.seconds for f in found] == pytest.approx([2.0, 4.0], abs=0.1)


def test_a_still_dark_scene_is_not_blank():
    dark = (shot(4, SECONDS) * 0.35).astype(np.uint8)
    frames = np.where((SECONDS < 2)[:, None, None, None], shot(0, SECONDS), dark)
    assert intervals(frames) == []
    assert [found.kind for found in find_transitions(Run(frames, SECONDS))] == [CUT]
