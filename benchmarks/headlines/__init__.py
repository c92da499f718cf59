# SPDX-License-Identifier: Apache-2.0
"""The few figures that each benchmark is read for, and the goals beside them.

A module a benchmark, named as its folder, with one function: `runs(folder)` yields what the files
of raw numbers in that folder say, and nothing for a file that is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.common.words import number


@dataclass(frozen=True)
class Goal:
    """A bound that a figure is to keep."""

    bound: float
    at_most: bool = False

    def met_by(self, found: float) -> bool:
        """Tell whether a figure keeps it."""
        return found <= self.bound if self.at_most else found >= self.bound

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {self.bound:g}"


@dataclass(frozen=True)
class Headline:
    """One figure."""

    what: str
    value: float | None = None
    """Trireel's own; None where nothing was found."""
    unit: str = ""
    beside: str = ""
    """What it is compared with."""
    usual: float | None = None
    """The value of that; None where it has none."""
    goal: Goal | None = None
    """For the ratio where there is one, else for the value."""
    decimals: int | None = None
    """Of the values; None for three digits that count."""

    @property
    def ratio(self) -> float | None:
        """The value over what it is compared with."""
        return None if self.value is None or self.usual is None else self.value / self.usual

    @property
    def judged(self) -> float | None:
        """The figure that a goal speaks of."""
        return self.value if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Tell whether the goal is met, None where there is none."""
        if self.goal is None:
            return None
        return self.judged is not None and self.goal.met_by(self.judged)

    def words(self, value: float | None) -> str:
        """Return a figure as this one is to be written; nothing for None."""
        return "" if value is None else number(value, self.decimals)


@dataclass(frozen=True)
class Run:
    """What one file of raw numbers says."""

    title: str
    command: str
    machine: Mapping[str, Any]
    """As the file has it."""
    headlines: tuple[Headline, ...]
    note: str = ""
    """What a reader must know beside the figures."""
