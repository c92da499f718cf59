# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from the CSVs in results/: python -m benchmarks.perf_analyzer.table"""

import csv
import json
import re
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
Report = dict[str, Any]
Pair = tuple[Mapping[int, Level], Mapping[int, Level]]
STABILITY = re.compile(r"--stability-percentage (\d+)")
STABLE_PERCENT = 10
"""perf_analyzer's own bound on how far a level's windows are apart. A ratio between levels that are
held to a wider one is noise as much as a difference."""


def read(file: Path) -> Report:
    """Read run.json; a file that tells of one machine for all its recipes has it for each."""
    report: Report = json.loads(file.read_text())
    common = {name: report.pop(name) for name in ("triton", "machine") if name in report}
    report["recipes"] = {name: common | run for name, run in report["recipes"].items()}
    return report


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


def page(report: Report, levels: Levels) -> str:
    """Return RESULTS.md."""
    percent = stable_percent(report, levels)
    lines = [
        "# perf_analyzer against the embedded server",
        "",
        f"`{COMMAND}`, with the server's default settings and the bundled tower; perf_analyzer runs"
        " on the same cores. Frames, phrases and chunks are those of the bundled sample and text"
        ' bank. "On the way" is what a lone request costs outside the model: serialising, the'
        " network, the server's protocol, and in `video_chunk` the way from one of its models to"
        f" the next. {_stability(percent)} {_failures(report, levels)}",
        "",
        *_origins(report, levels),
    ]
    for model in dict.fromkeys(recipe.model for recipe in levels):
        own = {recipe: found for recipe, found in levels.items() if recipe.model == model}
        sentences = (f"\n{line}" for line in ratios(own, percent))
        lines += ["", f"## {model}", "", *table(own), *sentences]
    lines += _left_out(report)
    return "\n".join([*lines, "", *_commands(report, levels)]) + "\n"


def stable_percent(report: Report, levels: Levels) -> int:
    """Return how far a level's windows might be apart, by the commands that ran; the widest."""
    found = (STABILITY.search(report["recipes"][recipe.name]["command"]) for recipe in levels)
    return max((int(one[1]) if one else STABLE_PERCENT for one in found), default=STABLE_PERCENT)


def _stability(percent: int) -> str:
    words = f"A level's result is of three windows in a row that agree within {percent} %"
    if percent <= STABLE_PERCENT:
        return f"{words}."
    return (
        f"{words}, so that the ratio of two results would say little: below is how far the ratios"
        " of several pairs lie apart."
    )


def _failures(report: Report, levels: Levels) -> str:
    counts = [report["recipes"][recipe.name]["counts"] for recipe in levels]
    failed, left = (sum(one[name] for one in counts) for name in ("failures", "live_sequences"))
    if failed or left:
        return f"By the server's own metrics {failed} requests failed, {left} sequences had no end."
    return "No request of these runs failed, and all sequences ended, by the server's own metrics."


def origins(report: Report, levels: Levels) -> Iterator[tuple[Report, list[Recipe]]]:
    """Yield each machine, commit and Triton that recipes were measured on, with those recipes."""
    groups: dict[str, list[Recipe]] = {}
    for recipe in levels:
        run = report["recipes"][recipe.name]
        origin = {name: run[name] for name in ("triton", "machine")}
        groups.setdefault(json.dumps(origin), []).append(recipe)
    for origin, recipes in groups.items():
        yield json.loads(origin), recipes


def _origins(report: Report, levels: Levels) -> Iterator[str]:
    found = list(origins(report, levels))
    for origin, recipes in found:
        machine = origin["machine"]
        words = f"{processors(machine)}, commit {machine['commit']}, Triton {origin['triton']}"
        names = ", ".join(recipe.name for recipe in recipes)
        yield f"Measured on {words}." if len(found) == 1 else f"- On {words}: {names}."


def _left_out(report: Report) -> Iterator[str]:
    """Yield the recipes that are not on the page, and why."""
    runs = report["recipes"]
    left = {name: why for name in RECIPES if (why := _why_not(runs.get(name)))}
    if left:
        yield from ("", "## Left out", "")
        yield from (f"- {name}: {why}" for name, why in left.items())


def _why_not(run: Report | None) -> str:
    """Return why a run is no result, in one line; "" where it is one."""
    if run is None:
        return "not run"
    problems = [problem.splitlines()[0] for problem in run["problems"]]
    return "; ".join([*(["one short level, to try it"] if run["quick"] else []), *problems])


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


def ratios(levels: Levels, percent: int = STABLE_PERCENT) -> Iterator[str]:
    """Yield a sentence for each two ways to send the same requests.

    Where a level's windows may be `percent` apart and that is wide, it has the range of several
    pairs alone, and there is none of one pair.
    """
    mean = _mean if percent <= STABLE_PERCENT else _range
    for what, pairs in _ways(levels):
        if mean is _mean or len(pairs) > 1:
            yield _ratio(what, pairs, mean)


def _ways(levels: Levels) -> Iterator[tuple[str, list[Pair]]]:
    for protocol in ("grpc", "http"):
        pairs = _pairs(
            levels, lambda one: one.shared_memory, lambda one: replace(one, shared_memory=False),
            protocol,
        )  # fmt: skip
        if pairs:
            yield f"{protocol.upper().replace('G', 'g')} with shared memory", pairs
    pairs = _pairs(levels, lambda one: True, lambda one: replace(one, protocol="http"), "grpc")
    if pairs:
        yield "gRPC instead of HTTP", pairs


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


def _ratio(what: str, pairs: Iterable[Pair], mean: Callable[[Sequence[float]], str]) -> str:
    rates, ways = [], []
    for ours, theirs in pairs:
        least, most = min(ours), max(ours)
        rates.append(ours[most].per_second / theirs[most].per_second)
        ways.append(ours[least].way_ms / theirs[least].way_ms)
    return (
        f"{what}: {mean(rates)} the throughput at concurrency {most}, {mean(ways)} the time on"
        f" the way at {least}."
    )


def _mean(values: Sequence[float]) -> str:
    spread = f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""
    return f"{statistics.geometric_mean(values):.2f} x{spread}"


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f} x"


def _commands(report: Report, levels: Levels) -> Iterator[str]:
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


def usable(report: Report) -> list[Recipe]:
    """Return the recipes that were measured in full and without a problem."""
    runs = report["recipes"]
    return [recipe for name, recipe in RECIPES.items() if not _why_not(runs.get(name))]


def main() -> None:
    """Read what is there and write RESULTS.md."""
    report = read(RESULTS / "run.json")
    levels = {recipe: read_levels(RESULTS / f"{recipe.name}.csv") for recipe in usable(report)}
    (FOLDER / "RESULTS.md").write_text(page(report, levels))


if __name__ == "__main__":
    main()
