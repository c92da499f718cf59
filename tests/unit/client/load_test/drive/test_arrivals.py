# SPDX-License-Identifier: Apache-2.0
"""Arrivals of an open level: a Poisson process."""

import numpy as np
import pytest

from trireel_client.load_test.drive.arrivals import poisson_arrivals


@pytest.mark.parametrize("rate", [0.5, 20.0, 1000.0])
def test_arrivals_have_their_rate(rate):
    seconds = 10_000 / rate
    times = poisson_arrivals(rate, seconds)
    # 10,000 are expected, with a standard deviation of 100.
    assert abs(len(times) - 10_000) < 400
    assert np.all(np.diff(times) > 0)
    assert times[0] >= 0
    assert times[-1] < seconds


def test_gaps_are_exponential():
    gaps = np.diff(poisson_arrivals(50.0, 400.0))
    assert gaps.mean() == pytest.approx(0.02, rel=0.03)
    assert gaps.std() == pytest.approx(0.02, rel=0.03)  # evenly spaced ones would have none
    # A gap longer than its mean: e^-1 of them.
    assert np.mean(gaps > 0.02) == pytest.approx(np.exp(-1), abs=0.02)


def test_every_run_has_the_same_arrivals():
    assert np.array_equal(poisson_arrivals(3.0, 20.0), poisson_arrivals(3.0, 20.0))


def test_a_time_too_short_for_an_arrival_has_none():
    assert poisson_arrivals(0.001, 0.01).size == 0
