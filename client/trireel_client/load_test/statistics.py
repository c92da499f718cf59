# SPDX-License-Identifier: Apache-2.0
"""Percentiles of measured values, from all of them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

FEW = 100  # below, the 99th percentile is about the largest value


@dataclass(frozen=True)
class Spread:
    """Mean and percentiles of values, in the values' unit."""

    count: int
    """Number of values."""
    mean: float
    """Mean of the values."""
    p50: float
    """Median of the values."""
    p95: float
    """95th percentile of the values."""
    p99: float
    """99th percentile of the values."""
    max: float
    """Largest value."""

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """Return the spread of values, None if there are no values."""
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
        """99th percentile over median; 0 if the median is 0."""
        return self.p99 / self.p50 if self.p50 else 0.0

    @property
    def is_of_few(self) -> bool:
        """True if there are too few values for a reliable 99th percentile."""
        return self.count < FEW
