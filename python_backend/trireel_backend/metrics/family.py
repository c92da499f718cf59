# SPDX-License-Identifier: Apache-2.0
"""A metric family, and the interface by which a model instance counts."""

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """Prometheus types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Family:
    """A metric and the series it has in every model instance that counts it."""

    name: str
    description: str
    kind: Kind = Kind.COUNTER
    label: str = ""
    """A label beside those of the model and its instance."""
    values: tuple[str, ...] = ("",)
    """All values of that label; each has a series from the start: no first event is lost."""
    buckets: tuple[float, ...] = ()
    """Upper bounds, of a histogram."""


class Metrics(Protocol):
    """Where a model instance counts. No call raises: counting must not fail a request."""

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """Add to a counter or a gauge; `value` is that of the family's label."""

    def set(self, family: Family, amount: float) -> None:
        """Set a gauge."""

    def observe(self, family: Family, amount: float) -> None:
        """Count a value into a histogram."""


class Tally:
    """Metrics that nobody exports: numbers by name, and by name and label value."""

    def __init__(self) -> None:
        self.numbers: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.observed: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """See `Metrics`."""
        self.numbers[family.name, value] += amount

    def set(self, family: Family, amount: float) -> None:
        """See `Metrics`."""
        self.numbers[family.name, ""] = amount

    def observe(self, family: Family, amount: float) -> None:
        """See `Metrics`."""
        self.observed[family.name].append(amount)
