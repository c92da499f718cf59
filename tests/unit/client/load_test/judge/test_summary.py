# SPDX-License-Identifier: Apache-2.0
"""What a level comes to, from samples with known times."""

import pytest
from unit.client.load_test.made import CAPACITIES, sample

from trireel_client import InvalidRequest, SequenceLost, ServerUnavailable
from trireel_client.load_test.drive.level_run import LevelRun, Window
from trireel_client.load_test.drive.samples import Outcome, outcome_of
from trireel_client.load_test.judge.rules import UNANSWERED
from trireel_client.load_test.judge.summary import summarise
from trireel_client.load_test.plan import Level, Mode

WINDOW = Window(10.0, 20.0)
ONE = Level(concurrency=1)


def summary(*samples, level=ONE, mode=Mode.WHOLE):
    run = LevelRun(level, 5.0, WINDOW, samples)
    return summarise(run, (), mode=mode, capacities=CAPACITIES, server_is_here=False)


def test_a_video_belongs_to_the_window_it_was_to_begin_in():
    one = summary(
        sample(9.0, 11.0),  # the warm-up's, but answered in the window
        sample(12.0, 13.0),
        sample(19.5, 24.5),  # the window's, answered after it
    )
    assert (one.counts.ok, one.warm_up.ok) == (2, 1)
    assert (one.latency.count, one.latency.max) == (2, 5.0)
    # Throughput is what was answered in its 10 s.
    assert one.rates.videos == one.rates.requests == pytest.approx(0.2)
    assert one.rates.video_seconds == pytest.approx(6.0)
    assert one.rates.frames == pytest.approx(2.4)


def test_failures_and_refusals_are_apart_and_by_kind():
    one = summary(
        sample(11.0, 12.0),
        sample(12.0, 12.1, Outcome.REFUSED, kind="ServerUnavailable", message="full"),
        sample(13.0, 13.1, Outcome.FAILED, kind="NotFound", message="first"),
        sample(14.0, 14.1, Outcome.FAILED, kind="NotFound", message="second"),
        sample(6.0, 6.1, Outcome.FAILED, kind="RequestTimeout", message="in the warm-up"),
        sample(15.0, 15.1, Outcome.INTERRUPTED),
    )
    counts = one.counts
    assert (counts.ok, counts.refused, counts.failed, counts.interrupted) == (1, 1, 2, 1)
    assert counts.success_rate == pytest.approx(1 / 4)
    assert one.warm_up.failed == 1
    assert [(each.kind, each.outcome, each.count, each.example) for each in one.failures] == [
        ("NotFound", "failed", 2, "first"),
        ("ServerUnavailable", "refused", 1, "full"),
        ("RequestTimeout", "failed", 1, "in the warm-up"),
    ]
    assert one.latency.count == 1
    assert one.rates.videos == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ServerUnavailable("full"), Outcome.REFUSED),
        (SequenceLost("lost"), Outcome.FAILED),
        (InvalidRequest("wrong"), Outcome.FAILED),
    ],
)
def test_only_a_server_that_is_not_available_refuses(error, outcome):
    assert outcome_of(error) is outcome


def test_requests_of_a_sequence_are_its_chunks():
    one = summary(
        sample(9.0, 13.0, chunk_at_seconds=(9.5, 11.0, 13.0)),
        sample(13.0, 21.0, chunk_at_seconds=(14.0, 19.0, 21.0)),
        mode=Mode.SEQUENCE,
    )
    assert one.rates.requests == pytest.approx(0.4)  # at 11, 13, 14 and 19 s
    assert one.rates.videos == pytest.approx(0.1)
    assert one.first_chunk.mean == pytest.approx(1.0)
    assert one.chunk.count == 3
    assert one.chunk.max == pytest.approx(5.0)


def test_latency_counts_from_when_a_video_was_to_begin():
    one = summary(sample(11.0, 15.0, began_seconds=14.5), level=Level(rate=1.0))
    assert one.latency.max == pytest.approx(4.0)
    assert one.late.max == pytest.approx(3.5)
    assert one.findings[0].limit == "the load generator"
    assert "100% of the videos began late" in one.findings[0].because


def test_stages_are_means_of_what_answers_state():
    stages = ({"extract": 10.0, "total": 20.0}, {"extract": 30.0, "total": 40.0})
    one = summary(*(sample(11.0, 12.0, stages_ms=each) for each in stages))
    assert {name: spread.mean for name, spread in one.stages_ms.items()} == {
        "extract": 20.0,
        "total": 30.0,
    }


def test_a_level_without_samples_has_no_numbers():
    one = summary()
    assert (one.counts.success_rate, one.latency, one.rates.videos) == (None, None, 0.0)
    assert one.findings[0].limit == UNANSWERED
    assert one.findings[0].because == "no video began and ended in the measured time"


def test_a_level_without_an_answer_names_its_most_frequent_error():
    def failed(due, kind, message):
        return sample(due, due + 0.1, Outcome.FAILED, kind=kind, message=message)

    rare = failed(11.0, "RequestTimeout", "too late")
    common = [failed(due, "NotFound", "no such video") for due in (12.0, 13.0)]
    one = summary(rare, *common)
    assert one.findings[0].limit == UNANSWERED
    assert one.findings[0].because == (
        "no video was answered; the most frequent error was NotFound: no such video"
    )
    for answered in (sample(14.0, 15.0), sample(9.0, 11.0)):  # one of the warm-up was, in time
        assert summary(rare, *common, answered).findings[0].limit != UNANSWERED
