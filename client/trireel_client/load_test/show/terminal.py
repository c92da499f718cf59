# SPDX-License-Identifier: Apache-2.0
"""A load test on a terminal: its progress and its result."""

import time
from itertools import islice
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

from trireel_client.load_test.drive.level_run import Load
from trireel_client.load_test.drive.samples import Outcome, Sample
from trireel_client.load_test.judge.remarks import best, remarks
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.judge.rules import UNANSWERED
from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.plan import Level, Plan
from trireel_client.load_test.show.tables import (
    Table,
    chunks_table,
    failures_table,
    latency_table,
    levels_table,
    machine_table,
    models_table,
    number,
    stages_table,
)
from trireel_client.load_test.statistics import Spread

NEWEST = 200  # samples in the live line
NEWEST_SECONDS = 10.0
TEXTS = ("kind", "outcome", "example")
LEAST_COLUMNS = 100  # width of the output if it is not a terminal


class LiveShow:
    """A bar for each level with its newest results, and a plain line when it has ended."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(),
            TextColumn("{task.fields[line]}"),
            console=console,
            transient=True,
        )
        self._load: Load | None = None
        self._task = self._progress.add_task("", total=None, line="")

    def __enter__(self) -> "LiveShow":
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, load: Load, level: Level) -> None:
        """Show that a level begins."""
        self._load = load
        total = self._plan.warm_up_seconds + self._plan.duration_seconds
        self._progress.reset(self._task, description=level.name, total=total)

    def refresh(self) -> None:
        """Show the progress of the level."""
        load = self._load
        if load is not None and self._console.is_terminal:
            now = time.perf_counter()
            seconds = now - load.began_seconds
            self._progress.update(self._task, completed=seconds, line=live_line(load, now))

    def end(self, summary: LevelSummary) -> None:
        """Print the summary of a level that has ended."""
        latency, counts = summary.latency, summary.counts
        parts = [
            f"{counts.ok} videos in {summary.seconds:.0f} s",
            f"{summary.rates.videos:.2f} videos/s",
        ]
        if latency is not None:
            parts += [f"p50 {latency.p50 * 1e3:.0f} ms", f"p99 {latency.p99 * 1e3:.0f} ms"]
        parts += _troubles(counts.refused, counts.failed)
        first = summary.findings[0]
        bound = f"bounded by {first.limit}"
        parts.append(f"{first.limit}: {first.because}" if first.limit == UNANSWERED else bound)
        self._console.print(
            Text(summary.level.name, "bold").append(": " + ", ".join(parts), "not bold"),
            soft_wrap=True,
        )


def live_line(load: Load, now_seconds: float) -> str:
    """Return the newest results of a level in one line."""
    if now_seconds < load.window.begin_seconds:
        state = "warm-up"
    elif now_seconds < load.window.end_seconds:
        state = "measuring"
    else:
        state = "waiting for the last answers"
    newest = list(islice(reversed(load.samples), NEWEST))
    recent = [one for one in newest if now_seconds - one.ended_seconds < NEWEST_SECONDS]
    ok = [one for one in recent if one.outcome is Outcome.OK]
    parts = [state, f"{load.in_flight} in flight"]
    if (spread := Spread.of(one.latency_seconds for one in ok)) is not None:
        span_seconds = max(1e-3, now_seconds - min(one.ended_seconds for one in ok))
        parts += [f"{len(ok) / span_seconds:.1f}/s", f"p50 {spread.p50 * 1e3:.0f} ms"]
    parts += _troubles(_count(recent, Outcome.REFUSED), _count(recent, Outcome.FAILED))
    return ", ".join(parts)


def results_console() -> Console:
    """Return a console for results, wide enough for the tables if it is not a terminal."""
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, LEAST_COLUMNS)
    return console


def show_result(console: Console, result: TestResult) -> None:
    """Print the result of a test."""
    summaries = result.summaries
    for table in (
        levels_table(summaries),
        latency_table(summaries),
        chunks_table(summaries),
        stages_table(summaries),
        machine_table(summaries),
        failures_table(summaries),
    ):
        _print(console, table)
    top = best(summaries)
    if top is not None:
        _print(console, models_table(top))
        console.print(Text(f"What bounds it, at {top.level.name}", "bold"))
        for finding in top.findings:
            console.print(Text(finding.limit, "bold cyan").append(f": {finding.because}", "none"))
            for change in finding.changes:
                console.print(Text(f"  - {change}"))
        console.print()
    for remark in (*remarks(result), *result.notes):
        console.print(Text(remark, "yellow"))


def _print(console: Console, table: Table) -> None:
    if not table.rows:
        return
    rich = RichTable(
        title=table.title, title_justify="left", title_style="bold", box=None, padding=(0, 1)
    )
    for index, column in enumerate(table.columns):
        text = index == 0 or column in TEXTS
        rich.add_column(
            column,
            justify="left" if text else "right",
            no_wrap=index == 0,
            overflow="fold",
        )
    for row in table.rows:
        rich.add_row(*map(Text, row))
    console.print(rich)
    console.print()


def _count(samples: list[Sample], outcome: Outcome) -> int:
    return sum(one.outcome is outcome for one in samples)


def _troubles(refused: int, failed: int) -> list[str]:
    found = ((refused, "refused"), (failed, "failed"))
    return [f"{number(count, 0)} {what}" for count, what in found if count]
