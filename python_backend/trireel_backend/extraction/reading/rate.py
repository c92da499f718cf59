# SPDX-License-Identifier: Apache-2.0
"""The frame rate of a video, and whether its frames keep to it."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.extraction.task import FrameRate

NTSC = Fraction(1000, 1001)
USUAL_RATES = (
    *(24 * NTSC, Fraction(24), Fraction(25), 30 * NTSC, Fraction(30)),
    *(Fraction(50), 60 * NTSC, Fraction(60), 120 * NTSC, Fraction(120)),
)
MOST_OFF_TICKS = 1.01  # the times of the first frame and of another one are rounded to a tick each


def measured_rate(
    times_seconds: NDArray[np.float64], time_base: Fraction, stated: Fraction
) -> FrameRate:
    """Return the frame rate by the times of all frames.

    The rate is constant if every frame is within rounding of its place in a sequence of that rate.

    Args:
        times_seconds: [f] times of the frames in any order; gaps count, repeated times do not.
        time_base: unit to which the times are rounded, in seconds.
        stated: rate that the file states, 0 if none.
    """
    times = np.unique(times_seconds)
    if len(times) < 2:
        return FrameRate(stated)
    numbers = np.arange(len(times))
    tolerance_seconds = MOST_OFF_TICKS * float(time_base)
    ticks = round((times[-1] - times[0]) / float(time_base))
    average = Fraction(len(times) - 1, max(1, ticks)) / time_base
    for rate in _likely_rates(stated, average):
        off_seconds = np.abs(times - times[0] - numbers / float(rate))
        if off_seconds.max() <= tolerance_seconds:
            return FrameRate(rate)
    return FrameRate(average, is_variable=True)


def stated_rate(average: Fraction | None, base: Fraction | None) -> FrameRate:
    """Return the frame rate that a file states, if not all of its frames' times are known.

    Args:
        average: frames per second over the whole file.
        base: rate of which all times that FFmpeg has seen are multiples.
    """
    if not average:
        return FrameRate(Fraction(0))
    return FrameRate(average, is_variable=base is not None and base != average)


def _likely_rates(stated: Fraction, average: Fraction) -> Iterator[Fraction]:
    yield from sorted(USUAL_RATES, key=lambda rate: abs(rate - average))[:2]
    if stated > 0:
        yield stated
    yield average
