# SPDX-License-Identifier: Apache-2.0
"""Run perf_analyzer's recipes against a server of their own.

Every command line is printed before it runs. Each recipe leaves a CSV; run.json has the commands
and the server's own counts, each with its machine and commit. Results of other recipes are kept.
The exit status is 1 if a request failed or a sequence was not ended.
"""

import argparse
import fnmatch
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.common.server import Command, running, served
from benchmarks.perf_analyzer.benchmark import BENCHMARK
from benchmarks.perf_analyzer.data import make
from benchmarks.perf_analyzer.recipes import RECIPES, Recipe
from benchmarks.perf_analyzer.running import run_recipe
from benchmarks.perf_analyzer.table import read
from trireel_backend.launch.signals import unwind_on_signals
from trireel_client import TrireelClient

DATA = Path("benchmarks/perf_analyzer/data")
RESULTS = Path("benchmarks/perf_analyzer/results")
PACKAGES = ("nvidia-pytriton", "onnxruntime", "numpy", "av")


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = BENCHMARK.parser()
    add = parser.add_argument
    add("--output", type=Path, default=RESULTS, help="folder of the CSVs and of run.json")
    add("--recipe", nargs="*", default=["*"], metavar="NAME", help="names or patterns")
    add("--quick", action="store_true", help="one short level each: a try, not a measurement")
    add("--list", action="store_true", help="print the recipes' names and exit")
    add("--data-only", action="store_true", help=f"only write the input data, into {DATA}")
    return parser


def chosen(patterns: list[str]) -> list[Recipe]:
    """Return the recipes of some patterns; ends the program if a pattern matches none."""
    names: list[str] = []
    for pattern in patterns:
        found = fnmatch.filter(RECIPES, pattern)
        if not found:
            sys.exit(f"there is no recipe {pattern!r}; there are: {', '.join(RECIPES)}")
        names += found
    return [RECIPES[name] for name in dict.fromkeys(names)]


def run(recipes: list[Recipe], server: Command, output: Path, quick: bool) -> bool:
    """Run recipes and write their results; returns whether there was no problem."""
    output.mkdir(parents=True, exist_ok=True)
    file = output / "run.json"
    report: Any = read(json.loads(file.read_text())) if file.is_file() else {"recipes": {}}
    with TrireelClient(server.address) as client:
        origin = {"triton": client.server_info().version, "machine": describe(PACKAGES)}
    well = True
    for recipe in recipes:
        found = run_recipe(recipe, server, DATA, output / f"{recipe.name}.csv", quick)
        well = well and not found["problems"]
        report["recipes"][recipe.name] = {"quick": quick, **origin, **found}
        write_raw(file, report)
    return well


def main() -> int:
    """Run the recipes; returns the exit status."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    recipes = chosen(arguments.recipe)
    if arguments.list:
        print("\n".join(recipe.name for recipe in recipes))
        return 0
    server = served("--allow-client-shared-memory")
    with running(server):
        make(DATA, server.address)
        if arguments.data_only:
            return 0
        return 0 if run(recipes, server, arguments.output, arguments.quick) else 1


if __name__ == "__main__":
    sys.exit(main())
