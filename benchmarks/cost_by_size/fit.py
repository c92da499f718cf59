# SPDX-License-Identifier: Apache-2.0
"""How a cost grows with a size: the power of the size, and what one more of it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fit:
    """Least squares over some sizes."""

    exponent: float
    """Of the power law: the slope of the logarithms. 0 is flat, 1 linear, 2 quadratic."""
    slope: float
    """Of the line: cost for one more of the size."""
    start: float
    """Of the line: cost where the size is 0."""


def fit(sizes: Sequence[float], costs: Sequence[float]) -> Fit:
    """Fit a power law and a line.

    Raises:
        ValueError: fewer than two sizes, or a value that is not above 0, which has no logarithm.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(costs):
        raise ValueError(f"got {len(sizes)} sizes and {len(costs)} costs: give two or more pairs")
    if min(*sizes, *costs) <= 0:
        raise ValueError("a size or a cost is not above 0: it has no logarithm")
    exponent, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    slope, start = np.polyfit(sizes, costs, 1)
    return Fit(float(exponent), float(slope), float(start))
