# SPDX-License-Identifier: Apache-2.0
"""What a reader is told of levels."""

import dataclasses

from unit.client.load_test.made import result

from trireel_client.load_test.limits import DISTURBED, Finding
from trireel_client.load_test.reading import best, knee, remarks


def with_rates(*videos):
    made = result()
    summaries = tuple(
        dataclasses.replace(one, rates=dataclasses.replace(one.rates, videos=rate))
        for one, rate in zip(made.summaries, videos, strict=True)
    )
    return dataclasses.replace(made, summaries=summaries)


def test_the_knee_is_the_first_level_with_nearly_the_highest_throughput():
    summaries = with_rates(1.0, 3.9, 4.0).summaries
    assert best(summaries) is summaries[2]
    assert knee(summaries) is summaries[1]


def test_where_throughput_still_grows_nothing_is_said_of_a_knee():
    assert not any("of the highest" in one for one in remarks(with_rates(1.0, 2.0, 4.0)))
    said = " ".join(remarks(with_rates(1.0, 3.9, 4.0)))
    assert "concurrency 2 has 3.90 videos/s, within 5% of the highest: more load adds" in said
    said = " ".join(remarks(with_rates(1.0, 4.0, 3.9)))
    assert "concurrency 2 has 4.00 videos/s, the highest: more load adds" in said


def test_nothing_is_said_of_a_knee_where_other_programs_had_the_cpu():
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
