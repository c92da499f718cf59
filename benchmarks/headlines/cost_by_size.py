# SPDX-License-Identifier: Apache-2.0
"""How time and memory grow: the largest of every size beside a small one."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cost_by_size.points import Point, median
from benchmarks.cost_by_size.table import (
    AXES,
    COMMAND,
    LONG_SECONDS,
    MOST_MS,
    MOST_TAGS,
    SHORT_SECONDS,
)
from benchmarks.headlines import Goal, Headline, Run
from benchmarks.headlines.long_video import FLAT, LINEAR


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results.json says of every axis, each with the machine it was measured on."""
    if (results := folder / "results.json").exists():
        report = json.loads(results.read_text())
        for axis in AXES:
            if axis.name in report:
                points = [Point(**raw) for raw in report[axis.name]["points"]]
                found = HEADLINES.get(axis.name, _growth)(points)
                title = f"By size: {axis.title[0].lower()}{axis.title[1:]}"
                yield Run(title, COMMAND, report[axis.name]["machine"], tuple(found))


def _length(points: list[Point]) -> Iterator[Headline]:
    by_size = {point.size: point for point in points}
    short, long = by_size.get(SHORT_SECONDS), by_size.get(LONG_SECONDS)
    if short is None or long is None:
        return
    ours, usual = (median(point.seconds) / point.size * 60 for point in (long, short))
    yield Headline(f"{long.label}: time", ours, "s a minute of video", short.label, usual, LINEAR)
    most = f"{long.label}: the most memory"
    yield Headline(most, long.pss_mib, "MiB", short.label, short.pss_mib, FLAT)


def _tags(points: list[Point]) -> Iterator[Headline]:
    for point in points:
        if point.size == MOST_TAGS:
            what = f"A chunk against {point.label} tags, {point.series}"
            yield Headline(what, _ms(point), "ms", goal=Goal(MOST_MS, at_most=True))


def _growth(points: list[Point]) -> Iterator[Headline]:
    """Yield the time and the memory of the largest size beside those of the smallest."""
    for series in dict.fromkeys(point.series for point in points):
        of_series = [point for point in points if point.series == series]
        small, large = (pick(of_series, key=lambda point: point.size) for pick in (min, max))
        what = f"{series}, {large.label}"
        yield Headline(f"{what}: time", _ms(large), "ms", small.label, _ms(small))
        memory = f"{what}: memory"
        yield Headline(memory, large.pss_mib, "MiB", small.label, small.pss_mib)


def _ms(point: Point) -> float:
    return median(point.seconds) * 1e3


HEADLINES = {"length": _length, "tags": _tags}
