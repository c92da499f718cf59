# SPDX-License-Identifier: Apache-2.0
"""Frames for TransNetV2: at most 30 a second, chosen by their own PTS."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trireel_backend.scenes.sampling import thinned

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
TIME_BASES = [Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 12800)]


def pts(fps, count, time_base=Fraction(1, 90000)):
    """Return the PTS of a constant rate, rounded to a container's time base."""
    return np.array([float(round(i / Fraction(fps) / time_base) * time_base) for i in range(count)])


@pytest.mark.parametrize("fps", [1, 12, FILM, 24, 25, 30], ids=str)
@pytest.mark.parametrize("time_base", TIME_BASES, ids=str)
def test_every_frame_of_a_usual_rate_is_chosen(fps, time_base):
    seconds = pts(fps, 3000, time_base)
    np.testing.assert_array_equal(thinned(seconds), np.arange(3000))


def test_every_frame_of_29_97_fps_is_chosen():
    np.testing.assert_array_equal(thinned(pts(NTSC, 5000)), np.arange(5000))


def test_of_60_fps_every_other_frame_is_chosen():
    np.testing.assert_array_equal(thinned(pts(60, 2400)), np.arange(0, 2400, 2))


@pytest.mark.parametrize("fps", [120, 240])
def test_of_a_fast_video_30_frames_a_second_are_chosen(fps):
    chosen = thinned(pts(fps, 10 * fps))
    assert 300 <= len(chosen) <= 301
    # A frame whose PTS is a quarter of a thirtieth before the next may count to either.
    assert np.abs(np.diff(chosen)[1:] - fps // 30).max() <= 1


def test_of_50_fps_30_a_second_are_chosen_evenly():
    seconds = pts(50, 500)
    chosen = thinned(seconds)
    assert len(chosen) == 300
    assert set(np.diff(chosen)) == {1, 2}


def test_of_59_94_fps_no_second_has_more_than_30():
    seconds = pts(2 * NTSC, 6000)
    chosen = seconds[thinned(seconds)]
    per_second = np.bincount(chosen.astype(int))
    assert set(per_second[:-1]) <= {29, 30, 31}
    assert np.diff(chosen).max() < 0.051


def test_a_stride_chooses_of_the_same_frames():
    for fps in (25, 30, 50, 60):
        seconds = pts(fps, 600)
        assert set(thinned(seconds, 2)) <= set(thinned(seconds))
    np.testing.assert_array_equal(thinned(pts(30, 600), 2), np.arange(0, 600, 2))


def test_no_frames_and_one_frame():
    assert len(thinned(np.zeros(0))) == 0
    assert thinned(np.array([-7.5])).tolist() == [0]


gaps = st.lists(st.floats(0.001, 0.7), min_size=2, max_size=120)


@given(gaps, st.floats(-100, 1e5), st.data())
def test_the_choice_does_not_depend_on_the_frames_before(gaps, start, data):
    seconds = start + np.cumsum(gaps)
    chosen = thinned(seconds)
    begin = data.draw(st.sampled_from(thinned(seconds, 2).tolist()))
    for stride in (1, 2):
        whole, part = thinned(seconds, stride), thinned(seconds[begin:], stride)
        np.testing.assert_array_equal(part + begin, whole[whole >= begin])
    assert chosen[0] == 0
    parts = np.floor(seconds[chosen] * 30 + 0.25)
    assert np.all(np.diff(parts) > 0)  # one of each thirtieth of a second


@given(gaps)
def test_frames_that_come_later_change_no_choice(gaps):
    seconds = np.cumsum(gaps)
    for end in range(1, len(seconds)):
        whole = thinned(seconds)
        np.testing.assert_array_equal(thinned(seconds[:end]), whole[whole < end])
