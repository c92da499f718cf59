# SPDX-License-Identifier: Apache-2.0
"""Hits, misses and false events of a detector, and the rates that are made of them."""

from collections.abc import Iterable
from dataclasses import dataclass

SLACK_SECONDS = 1e-4
"""Times are compared with this slack, because detectors round them."""


@dataclass(frozen=True)
class Counts:
    """Numbers of what is true and of events; counts of several videos can be added."""

    hits: int = 0
    """True ones that an event matches."""
    missed: int = 0
    """True ones that no event matches."""
    false: int = 0
    """Events that match nothing true."""

    def __add__(self, other: "Counts") -> "Counts":
        """Return the sum."""
        return Counts(self.hits + other.hits, self.missed + other.missed, self.false + other.false)

    @property
    def precision(self) -> float:
        """Part of the events that match; 1 if there is no event."""
        events = self.hits + self.false
        return self.hits / events if events else 1.0

    @property
    def recall(self) -> float:
        """Part of what is true that is found; 1 if nothing is."""
        transitions = self.hits + self.missed
        return self.hits / transitions if transitions else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 if there is nothing of both."""
        total = 2 * self.hits + self.missed + self.false
        return 2 * self.hits / total if total else 1.0


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    return sum(counts, Counts())
