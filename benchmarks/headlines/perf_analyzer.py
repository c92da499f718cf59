# SPDX-License-Identifier: Apache-2.0
"""perf_analyzer's recipes at their largest batch and concurrency, by both protocols."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.headlines import Headline, Run
from benchmarks.perf_analyzer.recipes import Recipe
from benchmarks.perf_analyzer.table import COMMAND, UNITS, Levels, read_levels, usable


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results/run.json and the CSVs beside it say."""
    if (results := folder / "results/run.json").exists():
        report = json.loads(results.read_text())
        levels = {
            recipe: read_levels(results.with_name(f"{recipe.name}.csv"))
            for recipe in usable(report)
        }
        yield Run("perf_analyzer", COMMAND, report["machine"], tuple(_rates(levels)))


def _rates(levels: Levels) -> Iterator[Headline]:
    """Yield gRPC beside HTTP, and shared memory beside none."""
    for recipe, found in levels.items():
        other, beside = _other(recipe)
        largest = max(one.batch for one in levels if one.model == recipe.model)
        if recipe.batch == largest and other != recipe and other in levels:
            most = max(found)
            what = f"{recipe.name}, {most} at once"
            ours, usual = (each[most].per_second for each in (found, levels[other]))
            yield Headline(what, ours, f"{UNITS[recipe.model]}/s", beside, usual)


def _other(recipe: Recipe) -> tuple[Recipe, str]:
    if recipe.shared_memory:
        return replace(recipe, shared_memory=False), "without shared memory"
    return replace(recipe, protocol="http"), "HTTP"
