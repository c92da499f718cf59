# SPDX-License-Identifier: Apache-2.0
"""A measured size, and the growth of a cost with the size."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

__all__ = ["Fit", "Point", "fit", "median"]


@dataclass(frozen=True)
class Point:
    """One size of one axis."""

    series: str
    """Way to measure; an axis may have several."""
    size: float
    """The size in the axis' own unit."""
    label: str
    """The size as it is printed."""
    seconds: list[float]
    """Seconds for the axis' unit of work, by round."""
    pss_mib: float
    """The largest reading of memory: for whole videos once a second, for a decoder alone after
    loading and after each round, for served steps one reading after them."""
    cpu_seconds: list[float] | None = None
    """CPU seconds by round; None if they were not measured."""
    load_seconds: float | None = None
    """Seconds to load; None if nothing of this size is loaded."""


@dataclass(frozen=True)
class Fit:
    """Least squares over some sizes."""

    exponent: float
    """Slope of the logarithms: 0 is flat, 1 linear, 2 quadratic."""
    slope: float
    """Slope of the line: cost of one more of the size."""
    start: float
    """Start of the line: cost at size 0."""


def fit(sizes: Sequence[float], costs: Sequence[float]) -> Fit:
    """Fit a power law and a line.

    Raises:
        ValueError: if there are fewer than two sizes, or a value is not above 0.
    """
    if len(set(sizes)) < 2 or len(sizes) != len(costs):
        raise ValueError(f"got {len(sizes)} sizes and {len(costs)} costs: give two or more pairs")
    if min(*sizes, *costs) <= 0:
        raise ValueError("a size or a cost is not above 0: it has no logarithm")
    exponent, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    slope, start = np.polyfit(sizes, costs, 1)
    return Fit(float(exponent), float(slope), float(start))
