# SPDX-License-Identifier: Apache-2.0
"""What a test is asked to do."""

import pytest

from trireel_client.load_test.errors import InvalidPlan
from trireel_client.load_test.plan import Level, Plan, closed_levels, open_levels


def test_levels_are_read_in_their_order():
    assert closed_levels("1, 4,2") == tuple(Level(concurrency=n) for n in (1, 4, 2))
    assert open_levels("0.5,10") == (Level(rate=0.5), Level(rate=10.0))


def test_levels_have_names():
    assert [one.name for one in (*closed_levels("64"), *open_levels("2.50"))] == [
        "concurrency 64",
        "2.5 videos/s",
    ]
    assert [one.value for one in (*closed_levels("64"), *open_levels("2.5"))] == [64, 2.5]


@pytest.mark.parametrize("text", ["", "1,,2", "1,two", "0", "-1", "1.5", "1,2,..."])
def test_a_concurrency_that_is_none_is_refused(text):
    with pytest.raises(InvalidPlan, match="give"):
        closed_levels(text)


@pytest.mark.parametrize("text", ["", "fast", "0", "-2", "nan", "inf", "1,"])
def test_a_rate_that_is_none_is_refused(text):
    with pytest.raises(InvalidPlan, match="give"):
        open_levels(text)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"videos": ()}, "at least one video"),
        ({"levels": ()}, "one level"),
        ({"duration_seconds": 0.0}, "duration_seconds is 0.0: give a positive number"),
        ({"duration_seconds": float("nan")}, "duration_seconds is nan"),
        ({"timeout_seconds": -1.0}, "timeout_seconds is -1.0"),
        ({"most_in_flight": 0}, "most_in_flight is 0"),
        ({"warm_up_seconds": -0.1}, "warm_up_seconds is -0.1: give 0 or more"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(values, sentence):
    with pytest.raises(InvalidPlan, match=sentence):
        Plan(**{"videos": ("a.mp4",), "levels": (Level(concurrency=1),), **values})
