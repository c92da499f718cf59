# SPDX-License-Identifier: Apache-2.0
"""Levels and ratios of the recipes, and the page of the results."""

import json
import re
import statistics
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.common.pages import bullets, document, number, paragraph, processors
from benchmarks.common.pages import table as table_of
from benchmarks.common.record import Raw
from benchmarks.perf_analyzer.recipes import RECIPES, Recipe

COMMAND = "python -m benchmarks.perf_analyzer"
ON_THE_WAY = ("Client Send", "Network+Server Send/Recv", "Client Recv")
"""Columns of a request's time outside the model, in microseconds."""
UNITS = {
    "siglip_vision": "frames",
    "siglip_text": "texts",
    "video_chunk": "chunks",
    "video_analysis": "videos",
}
STABILITY = re.compile(r"--stability-percentage (\d+)")
STABLE_PERCENT = 10
"""perf_analyzer's own bound for the distance of a level's windows. With a wider bound the ratio
between two levels is noise as much as a difference."""


@dataclass(frozen=True)
class Level:
    """A row of a CSV."""

    concurrency: int
    per_second: float
    """Frames, texts, chunks or videos a second."""
    p50_ms: float
    p95_ms: float
    way_ms: float
    """Time of a request outside the model: serialising, the network, the server's protocol."""

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> "Level":
        """Return the level of a row."""
        return cls(
            concurrency=int(row["Concurrency"]),
            per_second=float(row["Inferences/Second"]),
            p50_ms=float(row["p50 latency"]) / 1e3,
            p95_ms=float(row["p95 latency"]) / 1e3,
            way_ms=sum(float(row[column]) for column in ON_THE_WAY) / 1e3,
        )


Levels = Mapping[Recipe, Mapping[int, Level]]
"""Levels by recipe and concurrency."""
Report = dict[str, Any]
Pair = tuple[Mapping[int, Level], Mapping[int, Level]]


def read(report: Report) -> Report:
    """Return run.json with a machine for each recipe; an older file has one for all."""
    common = {name: report[name] for name in ("triton", "machine") if name in report}
    return {"recipes": {name: common | run for name, run in report["recipes"].items()}}


def read_all(raw: Raw) -> tuple[Report, Levels]:
    """Return run.json, and the levels of the recipes that were measured without a problem."""
    report = read(raw["results/run.json"])
    levels = {}
    for name, recipe in RECIPES.items():
        if not _why_not(report["recipes"].get(name)):
            rows = map(Level.of_row, raw[f"results/{name}.csv"])
            in_order = sorted(rows, key=lambda level: level.concurrency)
            levels[recipe] = {level.concurrency: level for level in in_order}
    return report, levels


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    return page_of(*read_all(raw))


def page_of(report: Report, levels: Levels) -> str:
    """Return RESULTS.md of a report and its levels."""
    percent = stable_percent(report, levels)
    return document(
        "# perf_analyzer against the embedded server",
        paragraph(
            f"`{COMMAND}`, with the server's default settings and the bundled tower; perf_analyzer"
            " runs on the same cores. Frames, phrases and chunks are those of the bundled sample"
            ' and text bank. "On the way" is the time of a lone request outside the model:'
            " serialising, the network, the server's protocol, and in `video_chunk` the calls from"
            f" one of its models to the next. {_stability(percent)} {_failures(report, levels)}"
        ),
        _origins(report, levels),
        *_models(levels, percent),
        *_left_out(report),
        "## Commands",
        "As they ran; the server's ports were free ones."
        " [How to run them](../../docs/load-test.md#perf_analyzer).",
        _commands(report, levels),
    )


def stable_percent(report: Report, levels: Levels) -> int:
    """Return the widest bound for the distance of a level's windows, from the commands."""
    found = (STABILITY.search(report["recipes"][recipe.name]["command"]) for recipe in levels)
    percents = [int(match[1]) if match else STABLE_PERCENT for match in found]
    return max(percents, default=STABLE_PERCENT)


def _stability(percent: int) -> str:
    text = f"A level's result is from three windows in a row that agree within {percent} %"
    if percent <= STABLE_PERCENT:
        return f"{text}."
    return (
        f"{text}. The ratio of two results would mean little, so that the ratios below are ranges"
        " over several pairs."
    )


def _failures(report: Report, levels: Levels) -> str:
    counts = [report["recipes"][recipe.name]["counts"] for recipe in levels]
    failed, left = (sum(each[name] for each in counts) for name in ("failures", "live_sequences"))
    if failed or left:
        return f"By the server's own metrics {failed} requests failed, {left} sequences had no end."
    return "By the server's own metrics no request of these runs failed, and all sequences ended."


def origins(report: Report, levels: Levels) -> Iterator[tuple[Report, list[Recipe]]]:
    """Yield each machine, commit and Triton, with the recipes measured there."""
    groups: dict[str, list[Recipe]] = {}
    for recipe in levels:
        run = report["recipes"][recipe.name]
        origin = {name: run[name] for name in ("triton", "machine")}
        groups.setdefault(json.dumps(origin), []).append(recipe)
    for origin, recipes in groups.items():
        yield json.loads(origin), recipes


def _origins(report: Report, levels: Levels) -> str:
    found = {}
    for origin, recipes in origins(report, levels):
        machine = origin["machine"]
        text = f"{processors(machine)}, commit {machine['commit']}, Triton {origin['triton']}"
        found[text] = ", ".join(recipe.name for recipe in recipes)
    if len(found) == 1:
        return f"Measured on {next(iter(found))}."
    return bullets(f"On {text}: {names}." for text, names in found.items())


def _left_out(report: Report) -> Iterator[str]:
    """Yield the recipes that are not on the page, with the reasons."""
    runs = report["recipes"]
    left = [f"{name}: {why}" for name in RECIPES if (why := _why_not(runs.get(name)))]
    if left:
        yield "## Left out"
        yield bullets(left)


def _why_not(run: Report | None) -> str:
    """Return why a run is no result, in one line; "" if it is one."""
    if run is None:
        return "not run"
    problems = [problem.splitlines()[0] for problem in run["problems"]]
    return "; ".join([*(["one short level, to try it"] if run["quick"] else []), *problems])


def _models(levels: Levels, percent: int) -> Iterator[str]:
    for model in dict.fromkeys(recipe.model for recipe in levels):
        own = {recipe: found for recipe, found in levels.items() if recipe.model == model}
        yield f"## {model}"
        yield table(own)
        yield from map(paragraph, ratios(own, percent))


def table(levels: Levels) -> str:
    """Return the table of one model."""
    concurrencies = sorted({level for found in levels.values() for level in found})
    least, most = concurrencies[0], concurrencies[-1]
    unit = UNITS[next(iter(levels)).model]
    rates = " | ".join(f"{unit}/s at {level}" for level in concurrencies)
    rows = (
        (
            _requests(recipe),
            _by(recipe),
            *(number(found[level].per_second) for level in concurrencies),
            number(found[least].p50_ms),
            number(found[least].p95_ms),
            number(found[most].p95_ms),
            f"{found[least].way_ms:.2f}",
        )
        for recipe, found in levels.items()
    )
    return table_of(
        f"requests | by | {rates} | p50 ms at {least} | p95 ms at {least} | p95 ms at {most} |"
        f" on the way, ms at {least}",
        rows,
    )


def _requests(recipe: Recipe) -> str:
    if recipe.model in ("siglip_vision", "siglip_text"):
        return f"of {recipe.batch}"
    return "with the file's bytes" if recipe.variant else "that name a file"


def _by(recipe: Recipe) -> str:
    protocol = {"grpc": "gRPC", "http": "HTTP"}[recipe.protocol]
    return f"{protocol}, shared memory" if recipe.shared_memory else protocol


def ratios(levels: Levels, percent: int = STABLE_PERCENT) -> Iterator[str]:
    """Yield a sentence for each two ways to send the same requests.

    If the windows of a level may be far apart (`percent`), the sentence has the range of several
    pairs, and there is none for a single pair.
    """
    mean = _mean if percent <= STABLE_PERCENT else _range
    for what, pairs in _ways(levels).items():
        if len(pairs) > (mean is _range):
            yield _ratio(what, pairs, mean)


def _ways(levels: Levels) -> dict[str, list[Pair]]:
    """Return pairs of recipes that differ in shared memory, or in the protocol."""
    found: dict[str, list[Pair]] = {
        "gRPC with shared memory": [],
        "HTTP with shared memory": [],
        "gRPC instead of HTTP": [],
    }
    for recipe, own in levels.items():
        plain, http = replace(recipe, shared_memory=False), replace(recipe, protocol="http")
        if recipe.shared_memory and plain in levels:
            name = {"grpc": "gRPC", "http": "HTTP"}[recipe.protocol]
            found[f"{name} with shared memory"].append((own, levels[plain]))
        if recipe.protocol == "grpc" and http in levels:
            found["gRPC instead of HTTP"].append((own, levels[http]))
    return found


def _ratio(what: str, pairs: list[Pair], mean: Callable[[Sequence[float]], str]) -> str:
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


def _commands(report: Report, levels: Levels) -> str:
    runs = (report["recipes"][recipe.name]["command"] for recipe in levels)
    return "\n".join(["```console", *map(_command, runs), "```"])


def _command(command: str) -> str:
    lines = textwrap.wrap(
        f"$ {command}",
        116,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return " \\\n".join(lines)
