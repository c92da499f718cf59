# SPDX-License-Identifier: Apache-2.0
"""The recipes at their largest batch and concurrency, by both protocols."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from benchmarks.common.record import Headline, Raw, Run
from benchmarks.perf_analyzer.recipes import Recipe
from benchmarks.perf_analyzer.table import (
    COMMAND,
    STABLE_PERCENT,
    UNITS,
    Level,
    Levels,
    origins,
    read_all,
    stable_percent,
)

NOTE = (
    "The windows of a level agree within {percent} % only: the ratio of one rate to another would"
    " mean little."
)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the rates of each machine and commit."""
    if "results/run.json" not in raw:
        return
    report, levels = read_all(raw)
    for origin, recipes in origins(report, levels):
        own = {recipe: levels[recipe] for recipe in recipes}
        percent = stable_percent(report, own)
        varied = percent > STABLE_PERCENT
        found = tuple(_rates(own) if varied else _ratios(own))
        note = NOTE.format(percent=percent) if varied else ""
        yield Run("perf_analyzer", COMMAND, origin["machine"], found, note)


def _rates(levels: Levels) -> Iterator[Headline]:
    """Yield the rates at the largest batch and concurrency, without a comparison."""
    for recipe, found in levels.items():
        if recipe.batch == _largest_batch(recipe, levels):
            yield Headline(*_rate(recipe, found))


def _ratios(levels: Levels) -> Iterator[Headline]:
    """Yield gRPC beside HTTP, and shared memory beside none."""
    for recipe, found in levels.items():
        if recipe.shared_memory:
            other, beside = replace(recipe, shared_memory=False), "without shared memory"
        else:
            other, beside = replace(recipe, protocol="http"), "HTTP"
        is_largest = recipe.batch == _largest_batch(recipe, levels)
        if is_largest and other != recipe and other in levels:
            usual = levels[other][max(found)].per_second
            yield Headline(*_rate(recipe, found), beside, usual)


def _rate(recipe: Recipe, found: Mapping[int, Level]) -> tuple[str, float, str]:
    most = max(found)
    unit = f"{UNITS[recipe.model]}/s"
    return f"{recipe.name}, {most} at once", found[most].per_second, unit


def _largest_batch(recipe: Recipe, levels: Levels) -> int:
    return max(other.batch for other in levels if other.model == recipe.model)
