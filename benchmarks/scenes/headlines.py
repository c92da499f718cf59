# SPDX-License-Identifier: Apache-2.0
"""F1 of both modes beside the other detectors, errors of time, false events, cost."""

from collections.abc import Iterator

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.scenes.score import CUT
from benchmarks.scenes.table import COMMAND, TITLES
from benchmarks.scenes.totals import Set, sets

EXACT, REFINED, SAMPLED = "Trireel exact", "Trireel refined", "EMA as published"
OURS = (EXACT, REFINED)
EXACT_GOALS = {None: Goal(0.98), CUT: Goal(0.99), "dissolve": Goal(0.95)}
REFINED_GOAL = Goal(0.90)
BETTER = Goal(1.0)
HALF_A_FRAME = Goal(1.0, at_most=True)
ONE_FALSE = Goal(1.0, at_most=True)
REFINED_COST = Goal(1.5, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of every set."""
    if report := raw.get("results.json"):
        for found in sets(report):
            figures = (*_exact(found), *_refined(found))
            title = f"Cuts: {TITLES.get(found.name, found.name).lower()}"
            yield Run(title, COMMAND, report["machine"], figures, "F1 is that at one frame.")


def _exact(found: Set) -> Iterator[Headline]:
    if EXACT not in found.detectors:
        return
    for kind, goal in EXACT_GOALS.items():
        if kind is None or kind in found.kinds:
            f1 = found.counts(EXACT, kind=kind).f1
            yield Headline(f"exact: F1 of {kind or 'all transition'}s", f1, goal=goal, decimals=3)
    yield from _beside_the_best(found)
    if errors := found.vfr_half_frames(EXACT):
        what = "exact: the largest error of a cut in a video of an uneven rate"
        yield Headline(what, errors["max"], "half frames", goal=HALF_A_FRAME, decimals=2)
    if (false := found.false_in_ten_minutes(EXACT)) is not None:
        what = "exact: false events in 10 minutes without cuts"
        yield Headline(what, false, goal=ONE_FALSE, decimals=1)


def _beside_the_best(found: Set) -> Iterator[Headline]:
    """Yield the F1 and the cost beside those of the best detector that is not Trireel's."""
    others = [name for name in found.detectors if name not in OURS]
    if others:
        best = max(others, key=lambda name: found.counts(name).f1)
        ours, usual = (found.counts(name).f1 for name in (EXACT, best))
        yield Headline("exact: F1 beside the best other", ours, "", best, usual, BETTER, 3)
        ours, usual = (found.cpu_seconds_a_minute(name) for name in (EXACT, best))
        yield Headline("exact: cost beside it", ours, "CPU-s a minute", best, usual)


def _refined(found: Set) -> Iterator[Headline]:
    if REFINED not in found.detectors:
        return
    f1 = found.counts(REFINED).f1
    yield Headline("refined: F1 of all transitions", f1, goal=REFINED_GOAL, decimals=3)
    if SAMPLED in found.detectors:
        ours, usual = (found.cpu_seconds_a_minute(name) for name in (REFINED, SAMPLED))
        what = "refined: cost"
        yield Headline(what, ours, "CPU-s a minute", SAMPLED, usual, REFINED_COST)
