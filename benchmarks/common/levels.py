# SPDX-License-Identifier: Apache-2.0
"""Levels of load of a system: medians over the rounds of a report."""

import statistics
from dataclasses import dataclass
from typing import Any

Report = dict[str, Any]
QUANTILES = (50, 95, 99)


def quantile(values: list[float], percent: int) -> float:
    """Return the smallest of the values that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


@dataclass(frozen=True)
class Level:
    """A system at one concurrency: medians over the rounds."""

    concurrency: int
    per_second: float
    latency_ms: dict[int, float]
    """Latency by percent."""
    spread: float
    """p99 divided by p50."""
    cpu_seconds: float
    """CPU time of the system for each request."""
    client_cpu_seconds: float
    """CPU time of the load generator for each request."""
    pss_mib: float
    requests: int
    """Answered requests of all rounds."""
    fewest: int
    """Answered requests of the round with the fewest."""
    failed: int


def levels(report: Report, system: str) -> dict[int, Level]:
    """Return a system's levels by concurrency."""
    runs: dict[int, list[Report]] = {}
    for found in report["rounds"]:
        for level in found["systems"][system]["levels"]:
            runs.setdefault(level["concurrency"], []).append(level)
    return {concurrency: _level(concurrency, of) for concurrency, of in runs.items()}


def _level(concurrency: int, runs: list[Report]) -> Level:
    def median(value: Any) -> float:
        return statistics.median(map(value, runs))

    def latency(run: Report, percent: int) -> float:
        return quantile(run["latencies_ms"], percent)

    counts = [len(run["latencies_ms"]) for run in runs]
    return Level(
        concurrency,
        median(lambda run: len(run["latencies_ms"]) / run["window_seconds"]),
        {p: median(lambda run, p=p: latency(run, p)) for p in QUANTILES},
        median(lambda run: latency(run, 99) / latency(run, 50)),
        median(lambda run: run["cpu_seconds"] / max(1, len(run["latencies_ms"]))),
        median(lambda run: run["client_cpu_seconds"] / max(1, len(run["latencies_ms"]))),
        median(lambda run: run["pss_mib"]["most"]),
        sum(counts),
        min(counts),
        sum(len(run["errors"]) for run in runs),
    )
