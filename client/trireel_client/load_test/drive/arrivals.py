# SPDX-License-Identifier: Apache-2.0
"""The times at which the videos of an open level begin."""

import numpy as np
from numpy.typing import NDArray

SEED = 1  # the same arrivals in every run, so that two servers get the same load


def poisson_arrivals(rate: float, seconds: float) -> NDArray[np.float64]:
    """Return the arrivals in [0, seconds) of a Poisson process of `rate` a second."""
    generator = np.random.default_rng(SEED)
    times = np.empty(0)
    last_seconds = 0.0
    while last_seconds < seconds:
        gaps = generator.exponential(1 / rate, size=max(16, int(rate * seconds)))
        times = np.append(times, last_seconds + np.cumsum(gaps))
        last_seconds = float(times[-1])
    return times[times < seconds]
