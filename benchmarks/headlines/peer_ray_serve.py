# SPDX-License-Identifier: Apache-2.0
"""The reference pipeline on Ray Serve, beside the embedded server."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks import headlines
from benchmarks.headlines import Headline, Run
from benchmarks.peer_ray_serve.goals import (
    CPU_LEVEL,
    PEER,
    SYSTEMS,
    Report,
    goals,
    levels,
    parts_cpu_seconds,
    start_seconds,
    throughput_at,
    tower_frames_per_second,
)
from benchmarks.peer_ray_serve.table import SECTIONS

Pair = tuple[str, float, float, str]
TIMES = ", times "
"""Between what a goal is about and what that is compared with."""


def runs(folder: Path) -> Iterator[Run]:
    """Yield what each file of the benchmark's own page says."""
    for section in SECTIONS:
        if (results := folder / section.file).exists():
            report = json.loads(results.read_text())
            found = _goals(report) if section.has_goals else _rates(report)
            title = f"Beside Ray Serve: {section.title[0].lower()}{section.title[1:]}"
            yield Run(title, section.command(report), report["machine"], tuple(found))


def _goals(report: Report) -> Iterator[Headline]:
    """Yield every goal with the two figures it is the ratio of; some have one figure only."""
    pairs = {what: (ours, theirs, unit) for what, ours, theirs, unit in _pairs(report)}
    for goal in goals(report):
        bound = headlines.Goal(goal.bound, goal.at_most)
        what, times, beside = goal.text.partition(TIMES)
        if times:
            ours, theirs, unit = pairs[what]
            yield Headline(what, ours, unit, beside.removeprefix("that on "), theirs, bound)
        else:
            yield Headline(goal.text, goal.found, goal=bound)


def _rates(report: Report) -> Iterator[Headline]:
    for what, ours, theirs, unit in _throughputs(report):
        yield Headline(what, ours, unit, PEER, theirs)


def _throughputs(report: Report) -> Iterator[Pair]:
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    for concurrency in sorted(ours.keys() & theirs.keys()):
        rates = (found[concurrency].per_second for found in (ours, theirs))
        yield throughput_at(report, concurrency), *rates, "requests/s"


def _pairs(report: Report) -> Iterator[Pair]:
    """Yield what a goal is about, Trireel's figure, the other, and their unit."""
    yield from _throughputs(report)
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    yield "siglip_vision, batch 16, concurrency 4", *tower_frames_per_second(report), "frames/s"
    if CPU_LEVEL in ours:
        parts = sum(parts_cpu_seconds(report).values())
        yield "CPU a request", ours[CPU_LEVEL].cpu_seconds, parts, "CPU-s"
    if 1 in ours and 1 in theirs:
        p50 = (found[1].latency_ms[50] for found in (ours, theirs))
        yield "p50 at concurrency 1", *p50, "ms"
    memory = (max(level.pss_mib for level in found.values()) for found in (ours, theirs))
    yield "Memory", *memory, "MiB"
    yield "Start", *(start_seconds(report, name) for name in SYSTEMS), "s"
