# SPDX-License-Identifier: Apache-2.0
"""The served tower beside the tower in a plain loop and the machine's limit."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.gpu.table import (
    COMMAND,
    LEAST_OF_LIMIT,
    LEAST_OF_LOOP,
    best_served,
    limit,
    loop_rate,
    not_measured,
)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the best served rate beside both."""
    if report := raw.get("results.json"):
        rates = tuple(_rates(report))
        yield Run("The served tower", COMMAND, report["machine"], rates, not_measured(report))


def _rates(report: dict[str, Any]) -> Iterator[Headline]:
    best = best_served(report)
    if best is None:
        return
    rate = float(best["frames_per_second"])
    what = f"{report['size']} tower, requests of {best['batch']}, {best['concurrency']} at once"
    for name, usual, least in (
        ("the machine's limit", limit(report), LEAST_OF_LIMIT),
        ("the plain loop", loop_rate(report), LEAST_OF_LOOP),
    ):
        goal = Goal(least) if report["device"] == "cuda" else None
        yield Headline(what, rate, "frames/s", name, usual, goal)
