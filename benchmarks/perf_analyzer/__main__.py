# SPDX-License-Identifier: Apache-2.0
"""Run perf_analyzer's recipes against the embedded server, or against one that runs.

Run: python -m benchmarks.perf_analyzer --output benchmarks/perf_analyzer/results
     python -m benchmarks.perf_analyzer.table
(needs the environment of scripts/test). Every command line is printed before it runs. Each recipe
leaves a CSV; run.json has the commands and what the server counted, each with the machine and the
commit that it is from. What is there of other recipes stays.
"""

import argparse
import contextlib
import fnmatch
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common.versions import commit, processors, versions
from benchmarks.perf_analyzer.data import add_options, make
from benchmarks.perf_analyzer.recipes import RECIPES, Recipe, Servers
from benchmarks.perf_analyzer.running import ROOT, run_recipe
from benchmarks.perf_analyzer.table import read
from trireel_backend.launch.embedded.server import Ports, ServerOptions, embedded_server
from trireel_backend.launch.signals import unwind_on_signals
from trireel_client import TrireelClient

DATA = Path("benchmarks/perf_analyzer/data")
PACKAGES = ("nvidia-pytriton", "onnxruntime", "numpy", "av")
RESULTS = Path("benchmarks/perf_analyzer/results")


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--output", type=Path, default=RESULTS, help="folder of the CSVs and of run.json")
    add("--data", type=Path, default=DATA, help="folder that the input data is written to")
    add("--recipe", action="append", metavar="NAME", help="one, or a pattern: 'video_chunk*'")
    add("--quick", action="store_true", help="one short level each: a try, not a measurement")
    add("--list", action="store_true", help="print the recipes' names, and do nothing")
    add("--grpc-url", metavar="HOST:PORT", help="a server that runs, instead of one of its own")
    add("--http-url", metavar="HOST:PORT", help="of that server; default: port 8000 of its host")
    add("--metrics-url", metavar="HOST:PORT", help="the same, port 8002")
    add_options(parser)
    return parser


def chosen(patterns: list[str] | None) -> list[Recipe]:
    """Return the recipes that patterns name, all where there is none; ends where one has none."""
    names = dict.fromkeys(name for one in patterns or ["*"] for name in _matching(one))
    return [RECIPES[name] for name in names]


def _matching(pattern: str) -> list[str]:
    found = fnmatch.filter(RECIPES, pattern)
    if not found:
        sys.exit(f"there is no recipe {pattern!r}; there are: {', '.join(RECIPES)}")
    return found


@contextlib.contextmanager
def serving(given: argparse.Namespace) -> Iterator[Servers]:
    """Yield where the server is: that which runs, or one of our own for so long."""
    if given.grpc_url is not None:
        host = given.grpc_url.rpartition(":")[0]
        yield Servers(
            given.grpc_url, given.http_url or f"{host}:8000", given.metrics_url or f"{host}:8002"
        )
        return
    options = ServerOptions(
        models=ROOT / "model_repository",
        export=given.export,
        media_root=given.media,
        ports=Ports.free(),
        client_shared_memory=True,
    )
    with embedded_server(options) as server:
        yield Servers.at(server.ports)


def run(given: argparse.Namespace, recipes: list[Recipe], servers: Servers) -> bool:
    """Run recipes and write what came of each; returns whether all went well."""
    given.output.mkdir(parents=True, exist_ok=True)
    file = given.output / "run.json"
    report = read(file) if file.is_file() else {"recipes": {}}
    with TrireelClient(servers.grpc) as client:
        triton = client.server_info().version
    machine = {"cores": processors(), "packages": versions(PACKAGES), "commit": commit()}
    origin = {"triton": triton, "machine": machine}
    make(given.data, servers.grpc, given.media, given.video, given.export)
    well = True
    for recipe in recipes:
        found = run_recipe(
            recipe, servers, given.data, given.output / f"{recipe.name}.csv", given.quick
        )
        well = well and not found.problems
        report["recipes"][recipe.name] = {"quick": given.quick, **origin, **found.to_json_dict()}
        file.write_text(json.dumps(report, indent=1) + "\n")
    return well


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for; returns 1 where something went wrong."""
    given = create_parser().parse_args(argv)
    recipes = chosen(given.recipe)
    if given.list:
        print("\n".join(recipe.name for recipe in recipes))
        return 0
    with serving(given) as servers:
        return 0 if run(given, recipes, servers) else 1


if __name__ == "__main__":
    unwind_on_signals()  # so that a server of our own goes too
    sys.exit(main())
