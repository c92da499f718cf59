# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.extraction.table"""

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.words import packages, processors

FOLDER = Path(__file__).parent
COMMAND = (
    "python -m benchmarks.extraction --rounds {rounds} --output benchmarks/extraction/results.json"
)
THREADS_COMMAND = "python -m benchmarks.extraction.threads"
OURS, FFMPEG, BARE = "trireel", "ffmpeg commands", "bare decode"
Result = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """How many times a peer's frames per CPU-second are wanted, and on which clips."""

    text: str
    peer: str
    least: float
    clips: str = "all clips"
    covers: Callable[[str], bool] = lambda clip: True


GOALS = (
    Goal("3 x the ffmpeg commands, 384 x 384", FFMPEG, 3.0, "384 x 384", lambda c: "384" in c),
    Goal("2 x the ffmpeg commands, 1080p", FFMPEG, 2.0, "1080p", lambda c: "1080p" in c),
    Goal("Ahead of decord", "decord", 1.0),
    Goal("Ahead of torchcodec", "torchcodec", 1.0),
)
TWO_CORES = Goal("the ffmpeg commands", FFMPEG, 1.0)


@dataclass(frozen=True)
class Case:
    """One clip at one number of frames: how Trireel and a peer do."""

    name: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """How many times the peer's rate ours is."""
        return self.ours / self.theirs


@dataclass(frozen=True)
class Standing:
    """How Trireel stands to a peer in all the cases that a goal covers; there is at least one."""

    cases: list[Case]
    least: float

    @property
    def mean(self) -> Case:
        """The geometric means."""
        ours, theirs = ([getattr(case, who) for case in self.cases] for who in ("ours", "theirs"))
        return Case("", statistics.geometric_mean(ours), statistics.geometric_mean(theirs))

    @property
    def worst(self) -> Case:
        """The case with the least ratio."""
        return min(self.cases, key=lambda case: case.ratio)

    @property
    def met(self) -> int:
        """How many cases reach the goal."""
        return sum(case.ratio >= self.least for case in self.cases)


def command(report: Result) -> str:
    """Return the command that measured it."""
    return COMMAND.format(rounds=report["rounds"])


def ratio(result: Result, peer: str, measure: str = "cpu") -> float:
    """Return how many times the peer's rate ours is."""
    rates = result[measure]["per_second"]
    return float(rates[OURS] / rates[peer])


def standing(goal: Goal, results: list[Result], measure: str = "cpu") -> Standing | None:
    """Return how Trireel stands to a goal, None where its peer took no part."""
    cases = []
    for result in results:
        rates = result[measure]["per_second"]
        if goal.covers(result["clip"]) and goal.peer in rates:
            name = f"{result['clip']}, {result['frames_per_chunk']} per 10 s"
            cases.append(Case(name, rates[OURS], rates[goal.peer]))
    return Standing(cases, goal.least) if cases else None


def goal_line(goal: Goal, results: list[Result], measure: str = "cpu") -> str | None:
    """Return a goal's geometric mean, its worst case and how often it was met."""
    found = standing(goal, results, measure)
    if found is None:
        return None
    return (
        f"{goal.text}: {found.mean.ratio:.2f} x in the geometric mean, met in {found.met} of"
        f" {len(found.cases)} cases, worst {found.worst.ratio:.2f} x ({found.worst.name})"
    )


def limit_line(results: list[Result]) -> str:
    """Return how near ours comes to bare decoding, and what that would reach."""
    near = statistics.geometric_mean(ratio(result, BARE) for result in results)
    short = sum(
        ratio(result, FFMPEG) / ratio(result, BARE) < goal.least
        for result in results
        for goal in GOALS
        if goal.peer == FFMPEG and goal.covers(result["clip"])
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
    goals = [line for goal in GOALS if (line := goal_line(goal, results))]
    lines = [
        "# Sampling frames: CPU time and throughput",
        "",
        f"`{command(report)}`, median of {report['rounds']} rounds that take turns, on"
        f" {processors(machine)}, shared with other work; commit {machine['commit']},"
        f" {packages(machine)}, libavcodec {machine['libavcodec']}, the commands' ffmpeg"
        f" {machine['ffmpeg']}. Ratios are Trireel's over the peer's.",
        "",
        ". ".join([*goals, limit_line(results)])
        + f". On two cores, against {goal_line(TWO_CORES, results, 'two_cores')}.",
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
        f"A whole clip decoded by one thread or two: `{THREADS_COMMAND}`. A"
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
