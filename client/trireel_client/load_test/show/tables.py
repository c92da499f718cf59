# SPDX-License-Identifier: Apache-2.0
"""The tables of a load test as text, the same on a terminal and on the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trireel_client.load_test.judge.loads import ModelLoad
from trireel_client.load_test.judge.summary import LevelSummary, Rates
from trireel_client.load_test.statistics import Spread
from trireel_schema.stages import TIMING_STAGES

NONE = "-"


@dataclass(frozen=True)
class Table:
    """A table with a heading for each column."""

    title: str
    """Title of the table."""
    columns: tuple[str, ...]
    """Headings of the columns, with their units."""
    rows: tuple[tuple[str, ...], ...]
    """Rows of texts; the first column names the row."""

    def without_empty_columns(self) -> "Table":
        """Return the table without columns that have no known value."""
        kept = [
            index
            for index in range(len(self.columns))
            if any(row[index] != NONE for row in self.rows)
        ]
        rows = tuple(tuple(row[index] for index in kept) for row in self.rows)
        return Table(self.title, tuple(self.columns[index] for index in kept), rows)


def levels_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return the counts and the throughput of each level."""
    columns = ("level", "ok", "refused", "failed", "success", *_RATES)
    return Table("Levels", columns, tuple(map(_level_row, summaries)))


def latency_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return the latency of videos at each level."""
    columns = ("level", *(f"{name} ms" for name in _SPREAD), "mean ms", "p99/p50")
    rows = tuple(
        (
            one.level.name,
            *_spread_ms(one.latency),
            number(one.latency.mean * 1e3, 0),
            number(one.latency.p99_over_p50),
        )
        for one in summaries
        if one.latency is not None
    )
    return Table("Latency of a video", columns, rows)


def chunks_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return times of chunks; no rows if chunks do not come one by one."""
    columns = ("level", *(f"{what} {name} ms" for what in _CHUNKS for name in _SPREAD))
    rows = tuple(
        (
            one.level.name,
            *(text for spread in (one.first_chunk, one.chunk) for text in _spread_ms(spread)),
        )
        for one in summaries
        if one.first_chunk is not None
    )
    return Table(
        "Chunks: the first since the video was due, each since the one before", columns, rows
    )


def stages_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return the mean times by stage, from the answers."""
    rows = tuple(_stages_row(one) for one in summaries if one.stages_ms)
    return Table("Busy time of a video by stage, mean ms", ("level", *TIMING_STAGES), rows)


def models_table(summary: LevelSummary) -> Table:
    """Return the work of the server's models in a level."""
    columns = (
        "model",
        "requests",
        "per s",
        "rows/s",
        "busy s",
        "wait ms",
        "waiting",
        "batch",
        "slots",
        "used",
    )
    rows = tuple(map(_model_row, summary.models))
    return Table(f"Models, {summary.level.name}", columns, rows)


def limits_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return the limit of each level, and the numbers that show it."""
    rows = tuple(
        (one.level.name, one.findings[0].limit, one.findings[0].because) for one in summaries
    )
    return Table("What bounds each level", ("level", "limit", "because"), rows)


def machine_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return the use of processors and memory at each level."""
    columns = ("level", *_MACHINE)
    rows = tuple((one.level.name, *(cell(one) for cell in _MACHINE.values())) for one in summaries)
    return Table("CPU, memory, GPU", columns, rows).without_empty_columns()


def failures_table(summaries: Sequence[LevelSummary]) -> Table:
    """Return failures and refusals by kind."""
    rows = tuple(
        (one.level.name, failure.kind, failure.outcome.value, str(failure.count), failure.example)
        for one in summaries
        for failure in one.failures
    )
    columns = ("level", "kind", "outcome", "count", "example")
    return Table("Failures and refusals, warm-up included", columns, rows)


def number(value: float | None, decimals: int = 2) -> str:
    """Return a number as text, a dash if it is not known."""
    return NONE if value is None else f"{value:,.{decimals}f}"


def percent(value: float | None) -> str:
    """Return a share as text, a dash if it is not known; 100.0% only if it is exactly 1."""
    if value is None:
        return NONE
    return f"{value:.1%}" if value == 1 else f"{min(value, 0.999):.1%}"


_CHUNKS = ("first", "each")
_SPREAD = ("p50", "p95", "p99", "max")


def _level_row(one: LevelSummary) -> tuple[str, ...]:
    counts = one.counts
    return (
        one.level.name,
        *(str(count) for count in (counts.ok, counts.refused, counts.failed)),
        percent(counts.success_rate),
        *(cell(one.rates) for cell in _RATES.values()),
    )


def _spread_ms(spread: Spread | None) -> tuple[str, ...]:
    return tuple(
        number(None if spread is None else getattr(spread, name) * 1e3, 0) for name in _SPREAD
    )


def _stages_row(one: LevelSummary) -> tuple[str, ...]:
    spreads = (one.stages_ms.get(stage) for stage in TIMING_STAGES)
    return (
        one.level.name,
        *(number(None if spread is None else spread.mean, 1) for spread in spreads),
    )


def _model_row(load: ModelLoad) -> tuple[str, ...]:
    return (
        load.model,
        number(load.requests, 0),
        number(load.rate),
        number(load.row_rate, 1),
        number(load.busy_seconds),
        number(load.queue_ms, 1),
        number(load.pending, 1),
        number(load.batch, 1),
        number(load.slots, 0),
        percent(load.utilisation),
    )


def _mib(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else size_bytes / 2**20


_RATES: dict[str, Callable[[Rates], str]] = {
    "videos/s": lambda rates: number(rates.videos),
    "requests/s": lambda rates: number(rates.requests),
    "video s/s": lambda rates: number(rates.video_seconds, 1),
    "frames/s": lambda rates: number(rates.frames, 1),
}
_MACHINE: dict[str, Callable[[LevelSummary], str]] = {
    "CPU here": lambda one: percent(one.machine.machine_cpu),
    "CPU there": lambda one: percent(one.machine.server_machine_cpu),
    "server CPUs": lambda one: number(one.machine.server_cpus),
    "server MiB": lambda one: number(_mib(one.machine.server_memory_bytes), 0),
    "GPU": lambda one: percent(one.machine.gpu),
    "GPU mem": lambda one: percent(one.machine.gpu_memory),
    "client CPUs": lambda one: number(one.machine.client_cpus),
    "lag p99 ms": lambda one: number(one.machine.lag_p99_ms, 1),
    "sequences": lambda one: number(one.machine.live_sequences, 0),
}
