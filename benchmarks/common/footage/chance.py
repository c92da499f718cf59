# SPDX-License-Identifier: Apache-2.0
"""Random numbers and joins of one edit; the same key gives the same edit."""

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from benchmarks.common.footage.edit import CUT, MIN_PICTURE_SECONDS, Join
from benchmarks.common.footage.joins import FADE_COLOURS, WIPES

MILLISECONDS = 1000
DRAW = 2
"""Raised whenever the test part has been looked at while a detector was changed: a new part."""


def chance(*key: object) -> random.Random:
    """Return the random numbers of a key."""
    return random.Random("/".join(map(str, (DRAW, *key))))


def seconds_between(dice: random.Random, low: float, high: float) -> Fraction:
    """Return a duration in whole milliseconds."""
    return Fraction(round(dice.uniform(low, high) * MILLISECONDS), MILLISECONDS)


def random_join(dice: random.Random, kind: str, low: float, high: float) -> Join:
    """Return a join of a kind that takes between `low` and `high` seconds, unless it is a cut."""
    if kind == CUT:
        return Join()
    styles: dict[str, Sequence[str]] = {"fade": sorted(FADE_COLOURS), "wipe": WIPES}
    return Join(kind, seconds_between(dice, low, high), dice.choice(styles.get(kind, ("",))))


def lengthen(lengths: Iterable[Fraction], joins: Sequence[Join]) -> list[Fraction]:
    """Return the durations of shots, longer if the joins around a shot leave too little of it."""
    edges = [Fraction(0), *(join.seconds / 2 for join in joins), Fraction(0)]
    return [
        max(length, before + after + MIN_PICTURE_SECONDS * 2)
        for length, (before, after) in zip(lengths, pairwise(edges), strict=True)
    ]
