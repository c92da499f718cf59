# SPDX-License-Identifier: Apache-2.0
"""How things move: positions as functions of the time in seconds."""

from math import pi, sin
from typing import NamedTuple


class Pace(NamedTuple):
    """Position of a person who walks to and fro."""

    x: float
    """World x of the person."""
    facing: int
    """1 if the person heads right, -1 if left."""


def sway(t: float, period: float, amplitude: float, phase: float = 0.0) -> float:
    """Return a smooth swing; `period` in seconds, `phase` in turns (0..1)."""
    return amplitude * sin(2 * pi * (t / period + phase))


def pace(t: float, low: float, high: float, speed: float, phase: float = 0.0) -> Pace:
    """Return the position of somebody pacing between two x at `speed` units a second."""
    span = high - low
    way = (t * speed + phase * 2 * span) % (2 * span)
    return Pace(low + way, 1) if way < span else Pace(high - (way - span), -1)


def wrap(t: float, low: float, high: float, speed: float, phase: float = 0.0) -> float:
    """Return the position of something that leaves on one side and comes in on the other."""
    return low + (phase * (high - low) + t * speed) % (high - low)
