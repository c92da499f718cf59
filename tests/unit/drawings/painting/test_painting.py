# SPDX-License-Identifier: Apache-2.0
"""Chance and motion repeat and stay in range."""

import numpy as np

from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.motion import pace, wrap


def test_dice_replay_and_stay_in_range() -> None:
    rolls = [Dice(5, 1).roll() for _ in range(2)]
    assert rolls[0] == rolls[1] != Dice(5, 2).roll()
    dice = Dice(9)
    assert {dice.count(2, 4) for _ in range(200)} == {2, 3, 4}
    assert all(-1 <= dice.between(-1, 3) < 3 for _ in range(200))


def test_motions_stay_in_range() -> None:
    for t in np.linspace(0, 60, 241):
        assert 3 <= pace(t, 3, 13, 0.75, 0.3).x <= 13
        assert -3 <= wrap(t, -3, 19, -1.9, 0.6) < 19
