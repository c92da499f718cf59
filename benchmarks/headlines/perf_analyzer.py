# SPDX-License-Identifier: Apache-2.0
"""perf_analyzer's recipes at their largest batch and concurrency, by both protocols."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.headlines import Headline, Run
from benchmarks.perf_analyzer.recipes import Recipe
from benchmarks.perf_analyzer.table import (
    COMMAND,
    STABLE_PERCENT,
    UNITS,
    Level,
    Levels,
    origins,
    read,
    read_levels,
    stable_percent,
    usable,
)

NOTE = (
    "A level's windows agree within {percent} %, too wide for the ratio of one rate to another to"
    " say anything."
)


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results/run.json and the CSVs beside it say."""
    if (results := folder / "results/run.json").exists():
        report = read(results)
        levels = {
            recipe: read_levels(results.with_name(f"{recipe.name}.csv"))
            for recipe in usable(report)
        }
        for origin, recipes in origins(report, levels):
            own = {recipe: levels[recipe] for recipe in recipes}
            percent = stable_percent(report, own)
            if percent > STABLE_PERCENT:
                found, note = _rates(own), NOTE.format(percent=percent)
            else:
                found, note = _ratios(own), ""
            yield Run("perf_analyzer", COMMAND, origin["machine"], tuple(found), note)


def _rates(levels: Levels) -> Iterator[Headline]:
    """Yield the rates at the largest batch and concurrency, beside nothing."""
    for recipe, found in levels.items():
        if recipe.batch == _largest_batch(recipe, levels):
            yield Headline(*_rate(recipe, found))


def _ratios(levels: Levels) -> Iterator[Headline]:
    """Yield gRPC beside HTTP, and shared memory beside none."""
    for recipe, found in levels.items():
        other, beside = _other(recipe)
        is_largest = recipe.batch == _largest_batch(recipe, levels)
        if is_largest and other != recipe and other in levels:
            usual = levels[other][max(found)].per_second
            yield Headline(*_rate(recipe, found), beside, usual)


def _rate(recipe: Recipe, found: Mapping[int, Level]) -> tuple[str, float, str]:
    most = max(found)
    unit = f"{UNITS[recipe.model]}/s"
    return f"{recipe.name}, {most} at once", found[most].per_second, unit


def _largest_batch(recipe: Recipe, levels: Levels) -> int:
    return max(one.batch for one in levels if one.model == recipe.model)


def _other(recipe: Recipe) -> tuple[Recipe, str]:
    if recipe.shared_memory:
        return replace(recipe, shared_memory=False), "without shared memory"
    return replace(recipe, protocol="http"), "HTTP"
