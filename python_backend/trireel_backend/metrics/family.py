# SPDX-License-Identifier: Apache-2.0
"""A metric family, and the interface with which a model instance counts."""

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
    """A metric, with its series in every model instance that counts it."""

    name: str
    """Name of the metric in Prometheus."""
    description: str
    """One sentence for Prometheus' HELP line."""
    kind: Kind = Kind.COUNTER
    label: str = ""
    """Name of a label in addition to those of the model and its instance; "" for none."""
    values: tuple[str, ...] = ("",)
    """All values of the label; each has a series from the start, so no first event is lost."""
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets; empty for other kinds."""


class Metrics(Protocol):
    """The counters of a model instance. No method raises: counting must not fail a request."""

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """Add to a counter or a gauge; `value` is the value of the family's label."""

    def set(self, family: Family, amount: float) -> None:
        """Set a gauge."""

    def observe(self, family: Family, amount: float) -> None:
        """Count a value into a histogram."""


class Tally:
    """Metrics that are not exported: numbers by name and label value, observations by name."""

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
