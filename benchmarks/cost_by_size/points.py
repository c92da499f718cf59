# SPDX-License-Identifier: Apache-2.0
"""What is measured: a size, and what it took in every round."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One size of one axis."""

    series: str
    """What was measured, where an axis has several ways."""
    size: float
    """In the axis' own unit."""
    label: str
    """The size as people write it."""
    seconds: list[float]
    """A round, of the axis' own unit of work."""
    pss_mib: float
    """The most that was read: of whole videos once a second, of a decoder alone after loading and
    after each round. Of served steps it is read once, after them."""
    cpu_seconds: list[float] | None = None
    """A round; None where it was not taken."""
    load_seconds: float | None = None
    """Of what has to be loaded before; None where nothing of this size has to."""


def median(values: list[float]) -> float:
    """Return the middle of the rounds."""
    return statistics.median(values)
