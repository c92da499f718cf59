# SPDX-License-Identifier: Apache-2.0
"""Extents, exact frames, characters, false captions and cost."""

from collections.abc import Iterator

from benchmarks.captions.table import COMMAND
from benchmarks.captions.totals import FOUND_REGION, REGION, Report, costs, lengths, scores
from benchmarks.common.record import FLAT, NO_MORE, Goal, Headline, Raw, Run

EXTENTS, EXACT = Goal(0.97), Goal(0.9)
ERRORS = Goal(0.03, at_most=True)
FASTER, CHEAPER = Goal(1 / 1.7, at_most=True), Goal(1 / 5, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the test videos, and of the longest one."""
    if report := raw.get("results.json"):
        figures = (*_accuracy(report), *_cost(report))
        note = "F1 and exact frames are those of test videos whose region is given."
        yield Run("Captions on screen", COMMAND, report["machine"], figures, note)


def _accuracy(report: Report) -> Iterator[Headline]:
    found = scores(report, REGION, "test")
    if not found.characters:
        return
    yield Headline("F1 of extents at one sampled frame", found.extents.f1, goal=EXTENTS, decimals=3)
    what = "first and last frames that are exact"
    yield Headline(what, found.exact_rate, goal=EXACT, decimals=3)
    yield Headline("character error rate", found.error_rate, goal=ERRORS, decimals=4)
    for way in (REGION, FOUND_REGION):
        false = scores(report, way, "test").false
        number = false.get("logo", 0) + false.get("clock", 0)
        yield Headline(f"captions from a logo or a clock, {way}", number, goal=NO_MORE, decimals=0)


def _cost(report: Report) -> Iterator[Headline]:
    measured = {minutes: costs(report, minutes) for minutes in lengths(report)}
    for minutes, ways in measured.items():
        ours = ways.get("trireel")
        if ours is None:
            continue
        title = f"{minutes} minutes"
        if other := ways.get("sequential"):
            wall = (ours["wall_seconds"], "s", "in sequence", other["wall_seconds"])
            yield Headline(f"{title}: time with clips", *wall, goal=FASTER)
        without = ways.get("trireel without clips", ours)
        for way in ("rapidocr", "rapidocr, native size"):
            if other := ways.get(way):
                cpu = (without["cpu_seconds"], "CPU-s", way, other["cpu_seconds"])
                yield Headline(f"{title}: cost without clips", *cpu, goal=CHEAPER)
    peaks = {m: ways["trireel"]["peak_mib"] for m, ways in measured.items() if "trireel" in ways}
    if len(peaks) > 1:
        short, long = min(peaks), max(peaks)
        what = f"the most memory, {long} minutes beside {short}"
        yield Headline(what, peaks[long], "MiB", f"{short} minutes", peaks[short], FLAT)
