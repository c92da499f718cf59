# SPDX-License-Identifier: Apache-2.0
"""Slow sources: what they leave of the throughput of whole videos and of other chunks."""

from collections.abc import Iterator

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.slow_sources.table import REQUESTS, Row, command, rows

KEPT = Goal(0.9)
"""Of the throughput without slow sources."""
NOTE = (
    "Other programs used the same two CPUs during the measurement: in single rounds a rate beside"
    " slow sources was 0.5 to 2.7 times that without. Before the change it fell to 0.02 a"
    " second."
)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the throughput that is left beside slow sources."""
    if report := raw.get("results.json"):
        found = tuple(_kept(row) for row in rows(report) if row.tree == "after")
        yield Run("Slow sources", command(report), report["machine"], found, NOTE)


def _kept(row: Row) -> Headline:
    what = f"beside slow requests to {row.model}: {REQUESTS[row.requests]}"
    return Headline(what, row.beside, "a second", "alone", row.alone, KEPT)
