# SPDX-License-Identifier: Apache-2.0
"""How to read a test's levels: the best one, and the weaknesses of its numbers."""

from collections.abc import Sequence

from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.judge.rules import DISTURBED
from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.statistics import FEW

ENOUGH = 0.95  # of the highest throughput: more load than that adds latency only
LATENCIES_IN_WINDOW = 5


def best(summaries: Sequence[LevelSummary]) -> LevelSummary | None:
    """Return the level with the highest throughput, None if no video was answered."""
    answered = [one for one in summaries if one.rates.videos > 0]
    return max(answered, key=lambda one: one.rates.videos, default=None)


def knee(summaries: Sequence[LevelSummary]) -> LevelSummary | None:
    """Return the lightest level with nearly the highest throughput, of levels of one kind of loop.

    Return None if it is also the heaviest level: more load may raise the throughput.
    """
    by_load = sorted(summaries, key=lambda one: one.level.value)
    top = best(by_load)
    if top is None:
        return None
    first = next(one for one in by_load if one.rates.videos >= ENOUGH * top.rates.videos)
    return first if first.level.value < by_load[-1].level.value else None


def remarks(result: TestResult) -> tuple[str, ...]:
    """Return sentences on how far the levels can be trusted."""
    plan, summaries = result.plan, result.summaries
    sentences = _knees(summaries)
    warm_up = sum(one.warm_up.ended for one in summaries)
    if warm_up:
        sentences.append(
            f"{warm_up} videos of the warm-ups ({plan.warm_up_seconds:g} s a level) are not counted"
        )
    few = [one for one in summaries if one.latency and one.latency.is_of_few]
    if few:
        sentences.append(
            f"fewer than {FEW} videos: p99 is about the slowest one at {_names(few, summaries)}"
        )
    slow = [
        one
        for one in summaries
        if one.latency and one.seconds < LATENCIES_IN_WINDOW * one.latency.p50
    ]
    if slow:
        sentences.append(
            f"a level lasted less than {LATENCIES_IN_WINDOW} times its latency: give a longer"
            f" --duration for {_names(slow, summaries)}"
        )
    empty = [one for one in summaries if not one.counts.ended]
    if empty:
        sentences.append(
            f"no video began and ended at {_names(empty, summaries)}: give a longer --duration"
        )
    return tuple(sentences)


def _knees(summaries: Sequence[LevelSummary]) -> list[str]:
    sentences = []
    for kind, is_open in (("closed", False), ("open", True)):
        of_kind = [one for one in summaries if one.level.is_open is is_open]
        # A level that was cut short, or had no answer, does not show the effect of more load.
        levels = [one for one in of_kind if one.rates.videos > 0 and not one.counts.interrupted]
        first = knee(levels)
        if first is None or any(one.findings[0].limit == DISTURBED for one in levels):
            continue
        within = "" if first is best(levels) else f"within {1 - ENOUGH:.0%} of "
        among = f" of the {kind} levels" if len(of_kind) < len(summaries) else ""
        sentences.append(
            f"{first.level.name} has {first.rates.videos:.2f} videos/s, {within}the highest{among}:"
            " more load adds little but latency"
        )
    return sentences


def _names(some: Sequence[LevelSummary], of: Sequence[LevelSummary]) -> str:
    return "every level" if len(some) == len(of) else ", ".join(one.level.name for one in some)
