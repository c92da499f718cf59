# SPDX-License-Identifier: Apache-2.0
"""Means and worst cases of the goals, and the cost of a second decoder thread."""

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.extraction.table import (
    BARE,
    GOALS,
    THREADS_COMMAND,
    TWO_CORES,
    Case,
    Results,
    Wanted,
    command,
    standing,
)

UNITS = {"cpu": "frames/CPU-s", "two_cores": "chunks/s"}


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of both files."""
    if report := raw.get("results.json"):
        rates = tuple(_rates(report["results"]))
        yield Run("Sampling frames", command(report), report["machine"], rates)
    if threads := raw.get("threads.json"):
        found = (_second_thread(threads["results"]),)
        yield Run("A second decoder thread", THREADS_COMMAND, threads["machine"], found)


def _rates(results: Results) -> Iterator[Headline]:
    for goal in GOALS:
        if (found := standing(goal, results)) is not None:
            bound, count = Goal(goal.least), len(found.cases)
            what = f"Frames, {goal.clips}, geometric mean of {count} cases"
            yield _headline(what, found.mean, goal.peer, "cpu", bound)
            what = f"Frames, {goal.clips}, the worst case ({found.met} of {count} reach the goal)"
            yield _headline(f"{what}: {found.worst.name}", found.worst, goal.peer, "cpu", bound)
    for what, goal, measure in (
        ("Frames, geometric mean of all clips", Wanted("", BARE, 0.0), "cpu"),
        ("Two videos on two cores, geometric mean of all clips", TWO_CORES, "two_cores"),
    ):
        if (found := standing(goal, results, measure)) is not None:
            yield _headline(what, found.mean, goal.peer, measure)


def _headline(what: str, case: Case, peer: str, measure: str, goal: Goal | None = None) -> Headline:
    return Headline(what, case.ours, UNITS[measure], peer, case.theirs, goal)


def _second_thread(results: list[dict[str, Any]]) -> Headline:
    """Return the cost of two threads of the cheaper kind, beside one."""
    seconds: dict[str, dict[int, float]] = {}
    for result in results:
        clip, threads = seconds.setdefault(result["clip"], {}), result["threads"]
        clip[threads] = min(result["cpu_seconds"], clip.get(threads, result["cpu_seconds"]))
    two, one = (statistics.geometric_mean(clip[n] for clip in seconds.values()) for n in (2, 1))
    what = f"A clip decoded by two threads of the cheaper kind, geometric mean of {len(seconds)}"
    return Headline(what, two, "CPU-s", "one thread", one)
