# SPDX-License-Identifier: Apache-2.0
"""Cheap measures of how two pictures differ, against plain loops."""

import numpy as np
import pytest
from support.footage import brightened, shot, times

from trireel_backend.scenes.signals import (
    HEIGHT_PX,
    WIDTH_PX,
    histogram_distances,
    histograms,
    luma,
    moved_differences,
    step_differences,
)


@pytest.fixture(scope="module")
def frames():
    """Pictures of three drawn places, two of each."""
    seconds = times(0.4, 5)
    return np.concatenate([shot(number, seconds) for number in (0, 3, 9)])


def test_luma_weighs_green_twice(frames):
    red, green, blue = (frames[..., colour].astype(float) for colour in range(3))
    np.testing.assert_array_equal(luma(frames), np.floor((red + 2 * green + blue) / 4))


@pytest.mark.parametrize("reach_px", [0, 1, 2])
def test_moved_differences_are_those_of_a_plain_loop(frames, reach_px):
    before, after = luma(frames[:1]), luma(frames[2:3])
    total = 0
    for row in range(HEIGHT_PX):
        for column in range(WIDTH_PX):
            near = [
                abs(int(before[0, min(max(y, 0), HEIGHT_PX - 1), min(max(x, 0), WIDTH_PX - 1)])
                    - int(after[0, row, column]))
                for y in range(row - reach_px, row + reach_px + 1)
                for x in range(column - reach_px, column + reach_px + 1)
            ]  # fmt: skip
            total += min(near)
    expected = total / (HEIGHT_PX * WIDTH_PX)
    assert moved_differences(before, after, reach_px)[0] == pytest.approx(expected, rel=1e-6)


def test_motion_within_reach_is_no_difference(frames):
    before = luma(frames[:1])
    moved = np.roll(before, (1, 2), axis=(1, 2))
    moved[:, :1], moved[:, :, :2] = before[:, :1], before[:, :, :2]  # what rolled in is no motion
    assert moved_differences(before, moved, 2)[0] < 0.5
    assert moved_differences(before, moved, 0)[0] > 4


def test_steps_begin_with_0_and_see_a_cut(frames):
    steps = step_differences(luma(frames))
    assert len(steps) == len(frames)
    assert steps[0] == 0
    assert min(steps[2], steps[4]) > 10  # the cuts
    assert max(steps[1], steps[3], steps[5]) < 5  # people move


def test_a_small_step_is_the_plain_difference(frames):
    pair = np.stack([frames[0], brightened(frames[0], 1)])
    brightness = luma(pair)
    expected = np.abs(brightness[1].astype(float) - brightness[0]).mean()
    assert step_differences(brightness)[1] == pytest.approx(expected)


def test_no_frames_and_a_single_frame_have_steps(frames):
    assert step_differences(luma(frames[:0])).shape == (0,)
    assert step_differences(luma(frames[:1])).tolist() == [0]
    assert histograms(frames[:0]).shape == (0, 512)


def test_histograms_count_three_bits_a_colour(frames):
    for picture, counted in zip(frames, histograms(frames), strict=True):
        edges = [np.arange(0, 257, 32)] * 3
        expected, _ = np.histogramdd(picture.reshape(-1, 3), edges)
        np.testing.assert_allclose(counted, expected.ravel() / (27 * 48), rtol=1e-6)


def test_distances_are_shares_of_pixels(frames):
    same = histograms(frames[:1])
    changed = frames[:1].copy()
    changed[:, :, :12] = 255 - (changed[:, :, :12] & 128)  # a quarter of the picture
    assert histogram_distances(same, same)[0] == 0
    assert 0.2 < histogram_distances(same, histograms(changed))[0] <= 0.25
    black, white = (histograms(np.full_like(frames[:1], level)) for level in (0, 255))
    assert histogram_distances(black, white)[0] == 1
