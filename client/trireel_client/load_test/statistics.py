# SPDX-License-Identifier: Apache-2.0
"""Spread of measured values, from all of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

FEW = 100  # below, the 99th percentile is about the largest value


@dataclass(frozen=True)
class Spread:
    """How values are spread; all in the unit they were given in."""

    count: int
    """How many there are."""
    mean: float
    """Their mean."""
    p50: float
    """Half of them are below it."""
    p95: float
    """19 of 20 are below it."""
    p99: float
    """99 of 100 are below it."""
    max: float
    """The largest."""

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """Return the spread of values, None where there are none."""
        array = np.fromiter(values, np.float64)
        if array.size == 0:
            return None
        p50, p95, p99 = np.percentile(array, (50, 95, 99))
        return cls(
            int(array.size),
            float(array.mean()),
            float(p50),
            float(p95),
            float(p99),
            float(max(array)),
        )

    @property
    def p99_over_p50(self) -> float:
        """How much worse the bad ones are than the usual; 0 where the median is 0."""
        return self.p99 / self.p50 if self.p50 else 0.0

    @property
    def is_of_few(self) -> bool:
        """Tell whether there are too few values for a 99th percentile worth its name."""
        return self.count < FEW
