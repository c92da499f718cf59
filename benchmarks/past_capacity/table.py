# SPDX-License-Identifier: Apache-2.0
"""Medians over the rounds, and the page of the results."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.common.pages import document, number, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = (
    "python -m benchmarks.past_capacity --rounds {rounds} --output"
    " benchmarks/past_capacity/results.json"
)


@dataclass(frozen=True)
class Row:
    """One number of clients: medians over the rounds."""

    clients: int
    rate: float
    """Whole videos answered a second."""
    p50_ms: float
    """Median time to an answer of the accepted requests."""
    p99_ms: float
    """99th percentile of that time."""
    rejected_a_second: float
    rejection_p50_ms: float | None
    """Median time to a rejection; None if there was no rejection."""
    rejection_p99_ms: float | None
    """99th percentile of that time."""
    most_pss_mib: float
    failures: int
    """Failures of all rounds."""

    @property
    def seconds_an_answer(self) -> float:
        """A client's time for each answer, with rejections and pauses, by Little's law."""
        return self.clients / self.rate if self.rate else float("inf")


def command(report: dict[str, Any]) -> str:
    """Return the command that measured a report."""
    return COMMAND.format(rounds=len(report["rounds"]))


def rows(report: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for each number of clients."""
    for levels in zip(*report["rounds"], strict=True):
        with_rejections = [level for level in levels if level["refused_ms"]]
        yield Row(
            clients=levels[0]["clients"],
            rate=median(len(level["admitted_ms"]) / level["window_seconds"] for level in levels),
            p50_ms=_percentile(levels, "admitted_ms", 50),
            p99_ms=_percentile(levels, "admitted_ms", 99),
            rejected_a_second=median(
                len(level["refused_ms"]) / level["window_seconds"] for level in levels
            ),
            rejection_p50_ms=_percentile(with_rejections, "refused_ms", 50),
            rejection_p99_ms=_percentile(with_rejections, "refused_ms", 99),
            most_pss_mib=median(level["most_pss_mib"] for level in levels),
            failures=sum(len(level["failures"]) for level in levels),
        )


def _percentile(levels: Any, times: str, percent: float) -> Any:
    """Return the median of the levels' percentiles; None if there is no level."""
    found = [
        float(np.percentile(level[times], percent)) if level[times] else float("nan")
        for level in levels
    ]
    return median(found) if found else None


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Past capacity",
        paragraph(
            f"`{command(report)}`, medians of {len(report['rounds'])} rounds, on"
            f" {processors(machine)}, Python {machine['python']}, commit {machine['commit']},"
            f" {packages(machine)}. Whole videos of 12 s at 384 px, named by path; clients and"
            " server run on the same cores. The server works on four videos and lets 64 wait. It"
            " rejects further requests; a rejected client retries after the time that the server"
            " names, or up to a quarter of it later. Times in ms are those of one attempt, from"
            " request to answer. The seconds that a client spends for each answer, with all its"
            " attempts and the pauses between them, are not timed but computed: clients / videos a"
            " second (Little's law; every client always works towards its next answer)."
        ),
        table(
            "clients | videos/s | seconds an answer, computed | p50 ms, accepted | p99 ms |"
            " p99/p50 | rejected a second | rejection ms, p50 / p99 | most memory, MiB |"
            " other failures",
            map(_cells, rows(report)),
        ),
    )


def _cells(row: Row) -> tuple[object, ...]:
    rejection = ""
    if row.rejection_p50_ms is not None:
        rejection = f"{row.rejection_p50_ms:.0f} / {row.rejection_p99_ms:.0f}"
    return (
        row.clients,
        number(row.rate),
        number(row.seconds_an_answer),
        number(row.p50_ms),
        number(row.p99_ms),
        f"{row.p99_ms / row.p50_ms:.2f}",
        number(row.rejected_a_second),
        rejection,
        number(row.most_pss_mib),
        row.failures,
    )
