# SPDX-License-Identifier: Apache-2.0
"""PTS of videos: even rates, and the uneven ones of telephones and of screen recordings."""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

Clock = Callable[[Fraction], Sequence[Fraction]]
"""Returns the PTS in seconds of all frames of a video of a duration in seconds."""

TICK = Fraction(1, 90_000)
RATES = {
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30_000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60_000, 1001),
    "60": Fraction(60),
}


def even(rate: Fraction) -> Clock:
    """Return the clock of a constant rate."""
    return lambda seconds: [index / rate for index in range(int(seconds * rate))]


def telephone(seed: int) -> Clock:
    """Return a clock of about 30 frames a second that jitters and now and then skips frames."""

    def clock(seconds: Fraction) -> list[Fraction]:
        dice, pts, at = random.Random(seed), [], 0.0
        while at < seconds:
            pts.append(_ticks(at))
            at += (1 + (dice.random() < 0.06) * dice.randint(1, 3)) / 30
            at += dice.uniform(-0.004, 0.004)
        return pts

    return clock


def swing(seed: int, rates: Sequence[int] = (60, 15, 30)) -> Clock:
    """Return a clock that changes between rates every second or two."""

    def clock(seconds: Fraction) -> list[Fraction]:
        dice, pts, at = random.Random(seed), [], Fraction(0)
        while at < seconds:
            rate, until = dice.choice(rates), at + _ticks(dice.uniform(0.7, 2.0))
            while at < min(until, seconds):
                pts.append(at)
                at += Fraction(1, rate)
        return pts

    return clock


def _ticks(seconds: float) -> Fraction:
    return round(seconds / TICK) * TICK
