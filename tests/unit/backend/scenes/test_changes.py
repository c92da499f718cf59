# SPDX-License-Identifier: Apache-2.0
"""Pairs of pictures that may, and that may not, belong to different scenes."""

from itertools import combinations

import numpy as np
import pytest
from support.footage import brightened, dissolved, panned, shot

from trireel_backend.scenes.changes import is_change

NOW = np.zeros(1)


def test_other_places_are_a_change():
    pictures = [shot(number, NOW)[0] for number in range(8)]
    found = [is_change(one, other) for one, other in combinations(pictures, 2)]
    assert all(found)


@pytest.mark.parametrize("number", range(0, 20, 3))
def test_half_a_second_of_motion_is_no_change(number):
    frames = shot(number, np.array([1.0, 1.5]))
    assert not is_change(*frames)


def test_a_slow_pan_is_no_change():
    frames = panned(3, np.array([1.0, 1.5]), px_per_second=4)
    assert not is_change(*frames)


def test_a_lamp_that_leaves_the_shapes_is_no_change():
    picture = shot(8, NOW)[0]
    assert not is_change(picture, brightened(picture, 3))


@pytest.mark.parametrize("share", [1 / 3, 0.5, 1.0])
def test_a_third_of_a_dissolve_is_a_change(share):
    before, after = shot(0, NOW), shot(1, NOW)
    mixed = dissolved(before, after, np.array([share]))
    assert is_change(before[0], mixed[0])


def test_a_change_is_one_in_both_directions():
    one, other = shot(2, NOW)[0], shot(7, NOW)[0]
    assert is_change(one, other)
    assert is_change(other, one)
    assert not is_change(one, one)
