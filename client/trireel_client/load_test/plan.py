# SPDX-License-Identifier: Apache-2.0
"""The plan of a load test."""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trireel_client._sources import Source
from trireel_client.load_test.errors import InvalidPlan


class Mode(enum.StrEnum):
    """The kind of request for a video."""

    WHOLE = "whole"
    STREAM = "stream"
    SEQUENCE = "sequence"


@dataclass(frozen=True)
class Level:
    """One load: a number of workers, or a rate of arrivals."""

    concurrency: int | None = None
    """Closed loop: number of videos in flight at any time."""
    rate: float | None = None
    """Open loop: videos that begin a second, at random times, whatever is in flight."""

    @property
    def is_open(self) -> bool:
        """True if videos begin at their time, however many are in flight."""
        return self.rate is not None

    @property
    def value(self) -> float:
        """The concurrency or the rate."""
        return self.rate if self.rate is not None else float(self.concurrency or 0)

    @property
    def name(self) -> str:
        """Name of the level in reports."""
        return f"{self.rate:g} videos/s" if self.is_open else f"concurrency {self.concurrency}"


@dataclass(frozen=True)
class Plan:
    """The whole test."""

    videos: tuple[Source, ...]
    """Videos to request, in turn."""
    levels: tuple[Level, ...]
    """Levels of load, one after the other."""
    mode: Mode = Mode.WHOLE
    """Kind of request for each video."""
    duration_seconds: float = 30.0
    """Measured time of each level."""
    warm_up_seconds: float = 5.0
    """Time before the measured time, under the same load, that is not counted."""
    timeout_seconds: float = 120.0
    """Longest time of one request."""
    most_in_flight: int = 256
    """Largest number of videos in flight in an open level; others wait, and their wait counts."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the analysis, as the client takes them."""

    def __post_init__(self) -> None:
        if not self.videos or not self.levels:
            raise InvalidPlan("there is nothing to do: give at least one video and one level")
        for name in ("duration_seconds", "timeout_seconds", "most_in_flight"):
            if not 0 < getattr(self, name) < math.inf:  # also true for NaN
                raise InvalidPlan(f"{name} is {getattr(self, name)}: give a positive number")
        if not 0 <= self.warm_up_seconds < math.inf:
            raise InvalidPlan(f"warm_up_seconds is {self.warm_up_seconds}: give 0 or more")


def closed_levels(text: str) -> tuple[Level, ...]:
    """Read `1,2,4` as levels of so many workers; raises InvalidPlan."""
    return tuple(Level(concurrency=_whole(part)) for part in _parts(text))


def open_levels(text: str) -> tuple[Level, ...]:
    """Read `0.5,2` as levels of so many arrivals a second; raises InvalidPlan."""
    return tuple(Level(rate=_positive(part)) for part in _parts(text))


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise InvalidPlan(f"{text!r} is not a list of numbers: give them as in 1,2,4")
    return parts


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise InvalidPlan(f"{text!r} is not a number of workers: give whole numbers from 1 on")
    return int(text)


def _positive(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise InvalidPlan(f"{text!r} is not a rate: give positive numbers of videos a second")
    return rate
