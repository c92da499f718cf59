# SPDX-License-Identifier: Apache-2.0
"""What a reader is told of levels."""

import dataclasses

import pytest
from unit.client.load_test.made import result

from trireel_client.load_test.judge.remarks import best, knee, remarks
from trireel_client.load_test.judge.rules import DISTURBED, Finding
from trireel_client.load_test.plan import Level

CLOSED = tuple(Level(concurrency=count) for count in (1, 2, 4))


def with_rates(*videos, levels=CLOSED):
    made = result()
    one = made.summaries[0]
    summaries = tuple(
        dataclasses.replace(one, level=level, rates=dataclasses.replace(one.rates, videos=rate))
        for level, rate in zip(levels, videos, strict=True)
    )
    return dataclasses.replace(made, summaries=summaries)


def said_of_knees(made):
    return [one for one in remarks(made) if "more load adds" in one]


def test_the_knee_is_the_lightest_level_near_the_top():
    summaries = with_rates(1.0, 3.9, 4.0).summaries
    assert best(summaries) is summaries[2]
    assert knee(summaries) is summaries[1]


def test_there_is_no_knee_while_throughput_grows():
    assert not any("of the highest" in one for one in remarks(with_rates(1.0, 2.0, 4.0)))
    said = " ".join(remarks(with_rates(1.0, 3.9, 4.0)))
    assert "concurrency 2 has 3.90 videos/s, within 5% of the highest: more load adds" in said
    said = " ".join(remarks(with_rates(1.0, 4.0, 3.9)))
    assert "concurrency 2 has 4.00 videos/s, the highest: more load adds" in said


@pytest.mark.parametrize(
    ("levels", "videos"),
    [
        ((Level(concurrency=4), Level(rate=1.0), Level(rate=2.0)), (4.0, 1.0, 2.0)),
        ((Level(concurrency=64), Level(concurrency=4)), (4.0, 3.0)),
        (CLOSED, (1.0, 4.0, 0.0)),  # what nobody answers is no throughput
        ((Level(concurrency=4), Level(concurrency=4)), (4.0, 4.0)),
    ],
)
def test_the_heaviest_level_of_its_kind_is_no_knee(levels, videos):
    assert said_of_knees(with_rates(*videos, levels=levels)) == []


def test_levels_in_any_order_have_a_knee():
    levels = (Level(concurrency=64), Level(concurrency=4), Level(concurrency=1))
    (said,) = said_of_knees(with_rates(4.0, 3.9, 1.0, levels=levels))
    assert said.startswith("concurrency 4 has 3.90 videos/s, within 5% of the highest: ")


def test_each_kind_of_level_has_a_knee_of_its_own():
    levels = (*CLOSED[:2], Level(rate=8.0), Level(rate=9.0))
    closed, opened = said_of_knees(with_rates(3.9, 4.0, 4.5, 4.4, levels=levels))
    assert closed.startswith(
        "concurrency 1 has 3.90 videos/s, within 5% of the highest of the closed levels: "
    )
    assert opened.startswith("8 videos/s has 4.50 videos/s, the highest of the open levels: ")


def test_a_level_that_was_cut_short_is_no_knee():
    made = with_rates(1.0, 4.0, 0.5)
    last = made.summaries[-1]
    cut = dataclasses.replace(last, counts=dataclasses.replace(last.counts, interrupted=4))
    made = dataclasses.replace(made, summaries=(*made.summaries[:-1], cut))
    assert said_of_knees(made) == []


def test_there_is_no_knee_if_other_programs_had_the_cpu():
    made = with_rates(1.0, 3.9, 4.0)
    finding = Finding(DISTURBED, "", ())
    disturbed = dataclasses.replace(made.summaries[0], findings=(finding,))
    made = dataclasses.replace(made, summaries=(disturbed, *made.summaries[1:]))
    assert not any("of the highest" in one for one in remarks(made))


def test_nothing_answered_has_no_best():
    summaries = with_rates(0.0, 0.0, 0.0).summaries
    assert best(summaries) is None
    assert knee(summaries) is None


def test_warm_up_and_few_samples_are_said():
    said = remarks(result())
    assert any("6 videos of the warm-ups (1 s a level) are not counted" in one for one in said)
    assert "fewer than 100 videos: p99 is about the slowest one at every level" in said


def test_levels_are_named_where_it_is_not_all_of_them():
    made = result()
    unanswered = dataclasses.replace(made.summaries[0], latency=None)
    said = remarks(dataclasses.replace(made, summaries=(unanswered, *made.summaries[1:])))
    names = ", ".join(one.level.name for one in made.summaries[1:])
    assert f"fewer than 100 videos: p99 is about the slowest one at {names}" in said
