# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.extraction.table"""

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.extraction --output benchmarks/extraction/results.json"
OURS = "trireel"
Result = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """How many times a peer's frames per CPU-second are wanted, and on which clips."""

    text: str
    peers: tuple[str, ...]
    least: float
    covers: Callable[[str], bool]


GOALS = (
    Goal("3 x the ffmpeg commands, 384 x 384", ("ffmpeg commands",), 3.0, lambda c: "384" in c),
    Goal("2 x the ffmpeg commands, 1080p", ("ffmpeg commands",), 2.0, lambda c: "1080p" in c),
    Goal("Ahead of decord", ("decord",), 1.0, lambda c: True),
    Goal("Ahead of torchcodec", ("torchcodec",), 1.0, lambda c: True),
)


def ratio(result: Result, peer: str, measure: str = "cpu") -> float:
    """Return how many times the peer's rate ours is."""
    rates = result[measure]["per_second"]
    return float(rates[OURS] / rates[peer])


def goal_line(goal: Goal, results: list[Result], measure: str = "cpu") -> str | None:
    """Return a goal's geometric mean, its worst case and how often it was met."""
    cases = [
        (ratio(result, peer, measure), result)
        for result in results
        for peer in goal.peers
        if goal.covers(result["clip"]) and peer in result[measure]["per_second"]
    ]
    if not cases:
        return None
    mean = statistics.geometric_mean(value for value, _ in cases)
    worst, where = min(cases, key=lambda case: case[0])
    met = sum(value >= goal.least for value, _ in cases)
    return (
        f"{goal.text}: {mean:.2f} x in the geometric mean, met in {met} of {len(cases)} cases,"
        f" worst {worst:.2f} x ({where['clip']}, {where['frames_per_chunk']} per 10 s)"
    )


def ratio_of_limit(result: Result) -> float:
    """Return how many times the ffmpeg commands' rate bare decoding is."""
    rates = result["cpu"]["per_second"]
    return float(rates["bare decode"] / rates["ffmpeg commands"])


def limit_line(results: list[Result]) -> str:
    """Return how near ours comes to bare decoding, and what that would reach."""
    near = statistics.geometric_mean(ratio(result, "bare decode") for result in results)
    short = sum(
        goal.covers(result["clip"]) and ratio_of_limit(result) < goal.least
        for result in results
        for goal in GOALS[:2]
    )
    return (
        f"Of bare decoding's rate, which no exact sampler on one thread can pass, Trireel has"
        f" {near:.0%} in the geometric mean; bare decoding itself is below the goal against the"
        f" ffmpeg commands in {short} of {len(results)} cases"
    )


def table(results: list[Result], measure: str) -> Iterable[str]:
    """Yield the lines of a table of rates and ratios."""
    peers = [name for name in results[0][measure]["per_second"] if name != OURS]
    yield "| clip | frames per 10 s | Trireel | " + " | ".join(f"{p} | ratio" for p in peers) + " |"
    yield "|---|---|---|" + "---|---|" * len(peers)
    for result in results:
        rates = result[measure]["per_second"]
        cells = " | ".join(f"{rates[p]:.4g} | {ratio(result, p, measure):.2f}" for p in peers)
        head = f"| {result['clip']} | {result['frames_per_chunk']} | {rates[OURS]:.4g}"
        yield f"{head} | {cells} |"


def threads_table(report: Result) -> Iterable[str]:
    """Yield the lines of the table of decoder threads."""
    yield "| clip | threads | CPU seconds | wall seconds |"
    yield "|---|---|---|---|"
    for result in report["results"]:
        kind = "one" if result["threads"] == 1 else f"{result['threads']}, {result['kind'].lower()}"
        yield (
            f"| {result['clip']} | {kind} | {result['cpu_seconds']:.3f} |"
            f" {result['wall_seconds']:.3f} |"
        )


def page(report: Result, threads: Result) -> str:
    """Return RESULTS.md."""
    results, machine = report["results"], report["machine"]
    packages = ", ".join(f"{k} {v}" for k, v in machine["packages"].items() if v)
    goals = [line for goal in GOALS if (line := goal_line(goal, results))]
    ffmpeg = Goal("the ffmpeg commands", ("ffmpeg commands",), 1.0, lambda c: True)
    lines = [
        "# Sampling frames: CPU time and throughput",
        "",
        f"`{COMMAND}`, median of {report['rounds']} rounds that take turns, on"
        f" {len(machine['cores'])} x {machine['cores'][0]}, shared with other work; commit"
        f" {machine['commit']}, {packages}, libavcodec {machine['libavcodec']}, the commands'"
        f" ffmpeg {machine['ffmpeg']}. Ratios are Trireel's over the peer's.",
        "",
        ". ".join([*goals, limit_line(results)])
        + f". On two cores, against {goal_line(ffmpeg, results, 'two_cores')}.",
        "",
        "## Frames per CPU-second",
        "",
        *table(results, "cpu"),
        "",
        "## Chunks per second on two cores",
        "",
        "Two videos at once: a process each, or the ffmpeg commands' three of two threads.",
        "",
        *table(results, "two_cores"),
        "",
        "## Decoder threads",
        "",
        "A whole clip decoded by one thread or two: `python -m benchmarks.extraction.threads`. A"
        " second extractor, with a video or a span of its own, uses the other core for no more.",
        "",
        *threads_table(threads),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report, threads = (
        json.loads((FOLDER / name).read_text()) for name in ("results.json", "threads.json")
    )
    (FOLDER / "RESULTS.md").write_text(page(report, threads))


if __name__ == "__main__":
    main()
