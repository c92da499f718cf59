# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from the CSVs in results/: python -m benchmarks.perf_analyzer.table"""

import csv
import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common.words import number, processors
from benchmarks.perf_analyzer.recipes import RECIPES, Recipe

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
COMMAND = "python -m benchmarks.perf_analyzer"
ON_THE_WAY = ("Client Send", "Network+Server Send/Recv", "Client Recv")
"""Columns of what a request costs outside the model, in microseconds."""
UNITS = {
    "siglip_vision": "frames",
    "siglip_text": "texts",
    "video_chunk": "chunks",
    "video_analysis": "videos",
}


@dataclass(frozen=True)
class Level:
    """A row of a CSV."""

    concurrency: int
    per_second: float
    """Rows of batches, so frames or texts; chunks; videos."""
    p50_ms: float
    p95_ms: float
    way_ms: float
    """Of a request, outside the model: serialising, the network, the server's protocol."""


Levels = Mapping[Recipe, Mapping[int, Level]]
"""By recipe and concurrency."""


def read_levels(file: Path) -> dict[int, Level]:
    """Read a CSV of perf_analyzer, whose rows are in order of throughput."""
    with file.open(newline="") as lines:
        rows = [_level(row) for row in csv.DictReader(lines)]
    return {level.concurrency: level for level in sorted(rows, key=lambda row: row.concurrency)}


def _level(row: Mapping[str, str]) -> Level:
    return Level(
        concurrency=int(row["Concurrency"]),
        per_second=float(row["Inferences/Second"]),
        p50_ms=float(row["p50 latency"]) / 1e3,
        p95_ms=float(row["p95 latency"]) / 1e3,
        way_ms=sum(float(row[column]) for column in ON_THE_WAY) / 1e3,
    )


def page(report: Mapping[str, Any], levels: Levels) -> str:
    """Return RESULTS.md."""
    lines = [
        "# perf_analyzer against the embedded server",
        "",
        f"`{COMMAND}`, on {processors(report['machine'])}, commit {report['machine']['commit']},"
        f" Triton {report['triton']} with its default settings and the bundled tower;"
        " perf_analyzer runs on the same cores. Frames, phrases and chunks are those of the"
        ' bundled sample and text bank. "On the way" is what a lone request costs outside the'
        " model: serialising, the network, the server's protocol, and in `video_chunk` the way from"
        " one of its models to the next. No request failed, and every"
        " sequence was ended, by the server's own metrics.",
    ]
    for model in dict.fromkeys(recipe.model for recipe in levels):
        own = {recipe: found for recipe, found in levels.items() if recipe.model == model}
        lines += ["", f"## {model}", "", *table(own), *(f"\n{line}" for line in ratios(own))]
    return "\n".join([*lines, "", *_commands(report, levels)]) + "\n"


def table(levels: Levels) -> Iterator[str]:
    """Yield the rows of one model."""
    concurrencies = sorted({level for found in levels.values() for level in found})
    least, most = concurrencies[0], concurrencies[-1]
    unit = UNITS[next(iter(levels)).model]
    rates = "".join(f" {unit}/s at {level} |" for level in concurrencies)
    yield (
        f"| requests | by |{rates} p50 ms at {least} | p95 ms at {least} | p95 ms at {most} |"
        f" on the way, ms at {least} |"
    )
    yield "|---|---|" + "---|" * (len(concurrencies) + 4)
    for recipe, found in levels.items():
        numbers = [
            *(number(found[level].per_second) for level in concurrencies),
            *(number(found[least].p50_ms), number(found[least].p95_ms)),
            *(number(found[most].p95_ms), f"{found[least].way_ms:.2f}"),
        ]
        yield f"| {_requests(recipe)} | {_by(recipe)} | {' | '.join(numbers)} |"


def _requests(recipe: Recipe) -> str:
    if recipe.model in ("siglip_vision", "siglip_text"):
        return f"of {recipe.batch}"
    return "with the file's bytes" if recipe.variant else "that name a file"


def _by(recipe: Recipe) -> str:
    protocol = {"grpc": "gRPC", "http": "HTTP"}[recipe.protocol]
    return f"{protocol}, shared memory" if recipe.shared_memory else protocol


def ratios(levels: Levels) -> Iterator[str]:
    """Yield a sentence for each pair of ways to send the same requests."""
    for protocol in ("grpc", "http"):
        pairs = _pairs(
            levels, lambda one: one.shared_memory, lambda one: replace(one, shared_memory=False),
            protocol,
        )  # fmt: skip
        if pairs:
            yield _ratio(f"{protocol.upper().replace('G', 'g')} with shared memory", pairs)
    pairs = _pairs(levels, lambda one: True, lambda one: replace(one, protocol="http"), "grpc")
    if pairs:
        yield _ratio("gRPC instead of HTTP", pairs)


Pair = tuple[Mapping[int, Level], Mapping[int, Level]]


def _pairs(
    levels: Levels,
    is_meant: Callable[[Recipe], bool],
    other: Callable[[Recipe], Recipe],
    protocol: str,
) -> list[Pair]:
    return [
        (found, levels[other(recipe)])
        for recipe, found in levels.items()
        if recipe.protocol == protocol and is_meant(recipe) and other(recipe) in levels
    ]


def _ratio(what: str, pairs: Iterable[Pair]) -> str:
    rates, ways = [], []
    for ours, theirs in pairs:
        least, most = min(ours), max(ours)
        rates.append(ours[most].per_second / theirs[most].per_second)
        ways.append(ours[least].way_ms / theirs[least].way_ms)
    return (
        f"{what}: {_mean(rates)} the throughput at concurrency {most}, {_mean(ways)} the time on"
        f" the way at {least}."
    )


def _mean(values: Sequence[float]) -> str:
    spread = f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.geometric_mean(values):.2f} x{spread}"


def _commands(report: Mapping[str, Any], levels: Levels) -> Iterator[str]:
    yield "## Commands"
    yield ""
    yield (
        "As they ran; the server's ports were free ones."
        " [How to run them](../../docs/load-test.md#perf_analyzer)."
    )
    yield ""
    yield "```console"
    for recipe in levels:
        yield f"$ {report['recipes'][recipe.name]['command']}"
    yield "```"


def usable(report: Mapping[str, Any]) -> list[Recipe]:
    """Return the recipes that were measured in full and without a problem."""
    runs = report["recipes"]
    return [
        recipe
        for name, recipe in RECIPES.items()
        if name in runs and not runs[name]["quick"] and not runs[name]["problems"]
    ]


def main() -> None:
    """Read what is there and write RESULTS.md."""
    report = json.loads((RESULTS / "run.json").read_text())
    levels = {recipe: read_levels(RESULTS / f"{recipe.name}.csv") for recipe in usable(report)}
    (FOLDER / "RESULTS.md").write_text(page(report, levels))


if __name__ == "__main__":
    main()
