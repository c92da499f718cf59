# SPDX-License-Identifier: Apache-2.0
"""Repeatable chance: the same key always gives the same rolls."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle
from typing import TypeVar

import numpy as np

T = TypeVar("T")

POOL_SIZE = 1024  # numbers in a stream; a picture that needs more starts over


class Dice:
    """A stream of random numbers that is replayed from its start for every frame.

    A picture must take the same number of rolls at every moment: the number may depend on the
    scene, never on the time.
    """

    def __init__(self, *key: int) -> None:
        """Start the stream of a key, a few non-negative integers such as seed and purpose."""
        self._rolls = cycle(_pool(key))

    def roll(self) -> float:
        """Return a number in [0, 1)."""
        return next(self._rolls)

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * next(self._rolls)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return next(self._rolls) < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[int(next(self._rolls) * len(options))]

    def count(self, low: int, high: int) -> int:
        """Return a whole number in [low, high], both included."""
        return low + int(next(self._rolls) * (high - low + 1))


@lru_cache(maxsize=64)
def _pool(key: tuple[int, ...]) -> list[float]:
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
    return [float(value) for value in generator.random(POOL_SIZE)]
