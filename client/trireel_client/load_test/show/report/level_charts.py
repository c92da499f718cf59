# SPDX-License-Identifier: Apache-2.0
"""Charts with a point a level: throughput, latency, stages."""

from collections.abc import Callable, Iterator, Sequence

from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.show.report.charts import Chart, lines_of
from trireel_client.load_test.statistics import Spread
from trireel_schema.stages import STAGES

PERCENTILES = ("p50", "p95", "p99")
Value = Callable[[LevelSummary], float | None]


def level_charts(summaries: Sequence[LevelSummary]) -> tuple[Chart, ...]:
    """Return the charts of closed levels and of open ones, those that have values."""
    closed = [one for one in summaries if not one.level.is_open]
    opened = [one for one in summaries if one.level.is_open]
    found = (
        *_charts(closed, "concurrency", "concurrency"),
        *_charts(opened, "arrivals", "arrivals a second"),
    )
    return tuple(chart for chart in found if chart.has_values)


def _charts(summaries: Sequence[LevelSummary], by: str, x_label: str) -> Iterator[Chart]:
    names = tuple(f"{one.level.value:g}" for one in summaries)

    def chart(
        title: str, description: str, y_label: str, values: dict[str, Value], stacked: bool = False
    ) -> Chart:
        points = [
            (name, [(float(index), value(one)) for index, one in enumerate(summaries)])
            for name, value in values.items()
        ]
        return Chart(title, description, x_label, y_label, lines_of(points), names, stacked)

    yield chart(
        f"Throughput by {by}",
        "Whole videos answered within the measured time, for each second of it.",
        "videos/s",
        {"videos/s": lambda one: one.rates.videos},
    )
    yield chart(
        f"Latency by {by}",
        "From when a video was due to its last answer, for the videos that were answered.",
        "ms",
        {name: _latency(name) for name in PERCENTILES},
    )
    yield chart(
        f"First chunk by {by}",
        "From when a video was due to its first chunk.",
        "ms",
        {name: _first_chunk(name) for name in PERCENTILES},
    )
    yield chart(
        f"Time per stage by {by}",
        "Mean time of a video in each stage, from its answer. Stages overlap, so that their sum"
        " exceeds the latency.",
        "ms",
        {stage: _stage(stage) for stage in STAGES},
        stacked=True,
    )


def _latency(name: str) -> Value:
    return lambda one: _ms(one.latency, name)


def _first_chunk(name: str) -> Value:
    return lambda one: _ms(one.first_chunk, name)


def _stage(stage: str) -> Value:
    return lambda one: one.stages_ms[stage].mean if stage in one.stages_ms else None


def _ms(spread: Spread | None, name: str) -> float | None:
    return None if spread is None else 1e3 * float(getattr(spread, name))
