# SPDX-License-Identifier: Apache-2.0
"""How to read a test's levels: which is the best, and what its numbers cannot say."""

from collections.abc import Sequence

from trireel_client.load_test.limits import DISTURBED
from trireel_client.load_test.session import TestResult
from trireel_client.load_test.statistics import FEW
from trireel_client.load_test.summary import LevelSummary

ENOUGH = 0.95  # of the highest throughput: what lies beyond costs latency alone
LATENCIES_IN_WINDOW = 5


def best(summaries: Sequence[LevelSummary]) -> LevelSummary | None:
    """Return the level with the highest throughput, None where nothing was answered."""
    answered = [one for one in summaries if one.rates.videos > 0]
    return max(answered, key=lambda one: one.rates.videos, default=None)


def knee(summaries: Sequence[LevelSummary]) -> LevelSummary | None:
    """Return the first level, in their order, with nearly the highest throughput."""
    top = best(summaries)
    if top is None:
        return None
    return next(one for one in summaries if one.rates.videos >= ENOUGH * top.rates.videos)


def remarks(result: TestResult) -> tuple[str, ...]:
    """Return what a reader should know of how the levels were measured."""
    plan, summaries = result.plan, result.summaries
    sentences = []
    first = knee(summaries)
    disturbed = any(one.findings[0].limit == DISTURBED for one in summaries)
    if first is not None and first is not summaries[-1] and not disturbed:
        within = "" if first is best(summaries) else f"within {1 - ENOUGH:.0%} of "
        sentences.append(
            f"{first.level.name} has {first.rates.videos:.2f} videos/s, {within}the highest:"
            " more load adds little but latency"
        )
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


def _names(some: Sequence[LevelSummary], of: Sequence[LevelSummary]) -> str:
    return "every level" if len(some) == len(of) else ", ".join(one.level.name for one in some)
