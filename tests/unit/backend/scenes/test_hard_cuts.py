# SPDX-License-Identifier: Apache-2.0
"""Hard cuts of drawn footage, and what only looks like one."""

import numpy as np
import pytest
from support.footage import brightened, cut_at, panned, shot, times

from trireel_backend.scenes.hard_cuts import Run, hard_cuts


def cut_seconds(frames, seconds):
    run = Run(frames, seconds)
    return [float(seconds[found.index]) for found in hard_cuts(run)]


@pytest.mark.parametrize("fps", [10, 24, 25, 29.97, 50, 60])
def test_cuts_are_at_the_first_frame_of_the_new_scene(fps):
    seconds = times(3, fps)
    cuts = [float(seconds[len(seconds) // 3]), float(seconds[2 * len(seconds) // 3])]
    assert cut_seconds(cut_at(seconds, cuts, [3, 9, 14]), seconds) == cuts


@pytest.mark.parametrize("pair", [(0, 1), (2, 16), (5, 12), (10, 11), (15, 4), (18, 19)])
def test_cuts_between_many_places(pair):
    seconds = times(1.6, 25)
    assert cut_seconds(cut_at(seconds, [0.8], pair), seconds) == [0.8]


@pytest.mark.parametrize("number", range(0, 20, 4))
def test_people_who_move_are_no_cut(number):
    seconds = times(3, 12)
    assert cut_seconds(shot(number, seconds), seconds) == []


@pytest.mark.parametrize("px_per_second", [6, 25, 90])
def test_a_pan_is_no_cut(px_per_second):
    seconds = times(3, 25)
    assert cut_seconds(panned(6, seconds, px_per_second), seconds) == []


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_short_bright_flash_is_no_cut(count):
    seconds = times(2, 25)
    frames = shot(4, seconds)
    frames[20 : 20 + count] = brightened(frames[20 : 20 + count], 110)
    assert cut_seconds(frames, seconds) == []


def test_a_flash_that_dies_away_is_no_cut():
    seconds = times(3, 25)
    frames = shot(7, seconds)
    for index in range(20, 38):
        frames[index] = brightened(frames[index], int(140 * 0.8 ** (index - 20)))
    assert cut_seconds(frames, seconds) == []


def test_a_flash_within_a_scene_hides_no_cut_behind_it():
    seconds = times(3, 25)
    frames = cut_at(seconds, [1.6], [2, 17])
    frames[20:22] = brightened(frames[20:22], 120)
    assert cut_seconds(frames, seconds) == [1.6]


def test_a_cut_with_a_flash_on_it_is_a_cut():
    seconds = times(3, 25)
    frames = cut_at(seconds, [1.2], [3, 13])
    frames[30:32] = brightened(frames[30:32], 80)
    (found,) = cut_seconds(frames, seconds)
    assert 1.2 <= found <= 1.28


@pytest.mark.parametrize("length_seconds", [0.4, 0.8, 2.0])
def test_a_short_scene_between_two_of_the_same_is_a_scene(length_seconds):
    seconds = times(5, 25)
    cuts = [1.0, 1.0 + length_seconds]
    np.testing.assert_allclose(cut_seconds(cut_at(seconds, cuts, [1, 8, 1]), seconds), cuts)


def test_a_picture_between_two_frames_of_a_scene_is_no_scene():
    seconds = times(2, 25)
    frames = cut_at(seconds, [1.0, 1.04], [1, 8, 1])  # a damaged frame, or an advertisement's trick
    assert cut_seconds(frames, seconds) == []


def test_cuts_at_gaps_of_a_variable_rate():
    rng = np.random.default_rng(5)
    seconds = np.cumsum(rng.choice([0.02, 0.04, 0.1, 0.25], 60))
    cuts = [float(seconds[20]), float(seconds[41])]
    assert cut_seconds(cut_at(seconds, cuts, [0, 12, 5]), seconds) == cuts


def test_a_gap_in_a_scene_is_no_cut():
    seconds = np.concatenate([times(1, 25), times(1, 25, start_seconds=2.2)])
    assert cut_seconds(shot(9, seconds), seconds) == []


def test_cuts_between_dark_scenes():
    seconds = times(2, 25)
    frames = (cut_at(seconds, [1.0], [4, 16]) * 0.3).astype(np.uint8)
    assert cut_seconds(frames, seconds) == [1.0]


def test_noise_in_the_dark_is_no_cut():
    rng = np.random.default_rng(7)
    seconds = times(2, 25)
    dark = (shot(8, np.zeros(1)) * 0.1).astype(np.int16)
    frames = (dark + rng.normal(0, 3, (50, 27, 48, 3))).clip(0, 255).astype(np.uint8)
    assert cut_seconds(frames, seconds) == []


def test_doubled_frames_at_60_fps():
    """A film of 30 frames a second, in which each picture comes twice."""
    seconds = times(2, 60)
    frames = cut_at(np.floor(seconds * 30 + 1e-6) / 30, [1.0], [3, 10])
    assert cut_seconds(frames, seconds) == [1.0]


def test_repeated_frames_of_a_film_at_60_fps():
    """24 frames a second as 60: each picture comes two or three times."""
    seconds = times(3, 60)
    frames = cut_at(np.floor(seconds * 24 + 1e-6) / 24, [1.5], [11, 2])
    assert cut_seconds(frames, seconds) == [1.5]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_very_few_frames(count):
    seconds = times(1, 25)[:count]
    assert (
        hard_cuts(Run(shot(0, seconds) if count else np.zeros((0, 27, 48, 3), np.uint8), seconds))
        == []
    )
    if count == 2:
        pair = np.stack([shot(0, seconds)[0], shot(1, seconds)[0]])
        assert cut_seconds(pair, seconds) == [0.04]
