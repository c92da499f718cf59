# SPDX-License-Identifier: Apache-2.0
"""The figures of a report: medians over the rounds."""

import statistics
from collections.abc import Iterator

from benchmarks.common.levels import Level, Report, levels
from benchmarks.common.record import NO_MORE, Goal, Headline
from benchmarks.objects.rounds import FIND, MODES

PEER = "Ray Serve"
SINGLE = ("tags", "caption", "scenes", "objects")
THREE = "tags, caption, scenes"
ALL = "all four"
PARTS = ("scaler", "detector", "tracker")
"""What objects need beside the decode."""
THROUGHPUT = Goal(2.0)
TOGETHER = Goal(1.15, at_most=True)
LOADED = 4
"""Concurrency at which throughput is judged."""


def level_of(report: Report, system: str, mode: str, concurrency: int) -> Level:
    """Return a system's level in a mode."""
    return levels(report, f"{system} {mode}")[concurrency]


def cost(report: Report, name: str) -> float:
    """Return the CPU seconds a request of a set of findings."""
    if name not in FIND:
        raise KeyError(name)
    found = [each["costs"][name] for each in report["rounds"]]
    return statistics.median(each["cpu_seconds"] / len(each["latencies_ms"]) for each in found)


def latency_ms(report: Report, name: str) -> float:
    """Return the median latency of a set of findings at concurrency 1."""
    found = [each["costs"][name]["latencies_ms"] for each in report["rounds"]]
    return statistics.median(statistics.median(each) for each in found)


def part_cpu_seconds(report: Report, part: str) -> float:
    """Return the CPU seconds that a part of objects alone takes for a clip; see PARTS."""
    found = [each["parts"][f"{part}_cpu_seconds"] for each in report["rounds"]]
    return statistics.median(statistics.fmean(each) for each in found)


def figures(report: Report, *, with_goals: bool = True) -> Iterator[Headline]:
    """Yield the figures of a report, with or without the goals for the pipeline on Ray Serve."""
    goal = THROUGHPUT if with_goals else None
    for mode in MODES:
        ours, theirs = (
            level_of(report, name, mode, LOADED).per_second for name in ("trireel", "ray_serve")
        )
        what = f"Throughput at concurrency {LOADED}, {mode}"
        yield Headline(what, ours, "requests/s", PEER, theirs, goal)
    for mode in MODES:
        ours, theirs = (
            level_of(report, name, mode, 1).latency_ms[50] for name in ("trireel", "ray_serve")
        )
        yield Headline(f"p50 at concurrency 1, {mode}", ours, "ms", PEER, theirs)
    for mode in MODES:
        ours, theirs = (
            level_of(report, name, mode, LOADED).cpu_seconds for name in ("trireel", "ray_serve")
        )
        yield Headline(f"CPU a request, {mode}", ours, "CPU-s", PEER, theirs)
    together, what = cost(report, ALL), "CPU of all four findings in one request"
    parts = cost(report, THREE) + sum(part_cpu_seconds(report, part) for part in PARTS)
    beside = "one decode and each model's part"
    yield Headline(what, together, "CPU-s", beside, parts, TOGETHER)
    singles = sum(cost(report, name) for name in SINGLE)
    yield Headline(what, together, "CPU-s", "four requests", singles)
    failed = sum(
        level_of(report, "trireel", mode, at).failed for mode in MODES for at in (1, LOADED)
    )
    yield Headline("Failed requests, all levels", failed, goal=NO_MORE)
