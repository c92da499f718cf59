# SPDX-License-Identifier: Apache-2.0
"""Spread of values, against numbers worked out by hand."""

import pytest

from trireel_client.load_test.statistics import FEW, Spread


def test_spread_of_one_to_a_hundred():
    spread = Spread.of(float(n) for n in range(100, 0, -1))
    # Between the neighbours of rank 1 + share * 99, in proportion.
    assert (spread.count, spread.mean, spread.max) == (100, 50.5, 100.0)
    assert (spread.p50, spread.p95, spread.p99) == pytest.approx((50.5, 95.05, 99.01))
    assert spread.p99_over_p50 == pytest.approx(99.01 / 50.5)


def test_one_slow_value_in_two_hundred_raises_the_maximum_only():
    spread = Spread.of([1.0] * 199 + [60.0])
    assert (spread.p50, spread.p99, spread.max) == (1.0, 1.0, 60.0)
    assert spread.mean == pytest.approx((199 + 60) / 200)


def test_no_values_have_no_spread():
    assert Spread.of([]) is None


@pytest.mark.parametrize(("count", "few"), [(FEW - 1, True), (FEW, False)])
def test_a_percentile_of_few_values_says_so(count, few):
    assert Spread.of([1.0] * count).is_of_few is few


def test_a_median_of_nothing_has_no_ratio():
    assert Spread.of([0.0, 0.0, 9.0]).p99_over_p50 == 0.0
