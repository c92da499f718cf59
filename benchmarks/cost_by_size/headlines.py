# SPDX-License-Identifier: Apache-2.0
"""The largest size of every axis beside a small one."""

from collections.abc import Iterator

from benchmarks.common.record import FLAT, LINEAR, Goal, Headline, Raw, Run
from benchmarks.cost_by_size.points import Point, median
from benchmarks.cost_by_size.table import (
    AXES,
    COMMAND,
    LONG_SECONDS,
    MOST_MS,
    MOST_TAGS,
    SHORT_SECONDS,
    points,
)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of every axis, each with its own machine."""
    report = raw.get("results.json", {})
    for axis in AXES:
        if measured := report.get(axis.name):
            found = FIGURES.get(axis.name, _growth)(points(measured))
            title = f"By size: {axis.title[0].lower()}{axis.title[1:]}"
            yield Run(title, COMMAND, measured["machine"], tuple(found))


def _length(found: list[Point]) -> Iterator[Headline]:
    by_size = {point.size: point for point in found}
    short, long = by_size.get(SHORT_SECONDS), by_size.get(LONG_SECONDS)
    if short is None or long is None:
        return
    ours, usual = (median(point.seconds) / point.size * 60 for point in (long, short))
    yield Headline(f"{long.label}: time", ours, "s a minute of video", short.label, usual, LINEAR)
    most = f"{long.label}: the most memory"
    yield Headline(most, long.pss_mib, "MiB", short.label, short.pss_mib, FLAT)


def _tags(found: list[Point]) -> Iterator[Headline]:
    for point in found:
        if point.size == MOST_TAGS:
            what = f"A chunk against {point.label} tags, {point.series}"
            yield Headline(what, _ms(point), "ms", goal=Goal(MOST_MS, at_most=True))


def _growth(found: list[Point]) -> Iterator[Headline]:
    """Yield time and memory of the largest size beside those of the smallest."""
    for series in dict.fromkeys(point.series for point in found):
        own = [point for point in found if point.series == series]
        small, large = (pick(own, key=lambda point: point.size) for pick in (min, max))
        what = f"{series}, {large.label}"
        yield Headline(f"{what}: time", _ms(large), "ms", small.label, _ms(small))
        yield Headline(f"{what}: memory", large.pss_mib, "MiB", small.label, small.pss_mib)


def _ms(point: Point) -> float:
    return median(point.seconds) * 1e3


FIGURES = {"length": _length, "tags": _tags}
