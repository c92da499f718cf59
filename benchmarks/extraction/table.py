# SPDX-License-Identifier: Apache-2.0
"""Ratios to other ways to sample, and the page of the results."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.common.pages import document, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.extraction --rounds {rounds}"
THREADS_COMMAND = "python -m benchmarks.extraction --only threads"
OURS, FFMPEG, BARE = "trireel", "ffmpeg commands", "bare decode"
Results = list[dict[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """A goal: the least ratio to a peer's frames per CPU-second on some clips."""

    text: str
    peer: str
    least: float
    clips: str = "all clips"
    covers: Callable[[str], bool] = lambda clip: True


GOALS = (
    Wanted("3 x the ffmpeg commands, 384 x 384", FFMPEG, 3.0, "384 x 384", lambda c: "384" in c),
    Wanted("2 x the ffmpeg commands, 1080p", FFMPEG, 2.0, "1080p", lambda c: "1080p" in c),
    Wanted("Ahead of decord", "decord", 1.0),
    Wanted("Ahead of torchcodec", "torchcodec", 1.0),
)
TWO_CORES = Wanted("the ffmpeg commands", FFMPEG, 1.0)


@dataclass(frozen=True)
class Case:
    """Rates of Trireel and a peer on one clip at one number of frames."""

    name: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Trireel's rate divided by the peer's."""
        return self.ours / self.theirs


@dataclass(frozen=True)
class Standing:
    """The cases of a goal; there is at least one."""

    cases: list[Case]
    least: float

    @property
    def mean(self) -> Case:
        """The geometric means of both rates."""
        ours, theirs = ([getattr(case, who) for case in self.cases] for who in ("ours", "theirs"))
        return Case("", statistics.geometric_mean(ours), statistics.geometric_mean(theirs))

    @property
    def worst(self) -> Case:
        """The case with the smallest ratio."""
        return min(self.cases, key=lambda case: case.ratio)

    @property
    def met(self) -> int:
        """The number of cases that reach the goal."""
        return sum(case.ratio >= self.least for case in self.cases)

    def __str__(self) -> str:
        return (
            f"{self.mean.ratio:.2f} x in the geometric mean, met in {self.met} of"
            f" {len(self.cases)} cases, worst {self.worst.ratio:.2f} x ({self.worst.name})"
        )


def command(report: dict[str, Any]) -> str:
    """Return the command that measured a report."""
    return COMMAND.format(rounds=report["rounds"])


def standing(goal: Wanted, results: Results, measure: str = "cpu") -> Standing | None:
    """Return the cases of a goal; None if its peer was not measured."""
    cases = []
    for result in results:
        rates = result[measure]["per_second"]
        if goal.covers(result["clip"]) and goal.peer in rates:
            name = f"{result['clip']}, {result['frames_per_chunk']} per 10 s"
            cases.append(Case(name, rates[OURS], rates[goal.peer]))
    return Standing(cases, goal.least) if cases else None


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report, threads = raw["results.json"], raw["threads.json"]
    results, machine = report["results"], report["machine"]
    return document(
        "# Sampling frames: CPU time and throughput",
        paragraph(
            f"`{command(report)}`, median of {report['rounds']} rounds in which the methods take"
            f" turns, on {processors(machine)}, which did other work too; commit"
            f" {machine['commit']}, {packages(machine)}, libavcodec {machine['libavcodec']}, the"
            f" commands' ffmpeg {machine['ffmpeg']}. Ratios are Trireel's rate divided by the"
            " peer's."
        ),
        paragraph(
            ". ".join([*_goals(results), _limit(results)])
            + f". On two cores, against {TWO_CORES.text}:"
            f" {standing(TWO_CORES, results, 'two_cores')}."
        ),
        "## Frames per CPU-second",
        _rates(results, "cpu"),
        "## Chunks per second on two cores",
        "Two videos at once: a process for each, or the ffmpeg commands' three of two threads.",
        _rates(results, "two_cores"),
        "## Decoder threads",
        paragraph(
            f"A whole clip decoded by one thread or two: `{THREADS_COMMAND}`. A second extractor,"
            " with another video or other chunks, uses the other core without this extra cost."
        ),
        _threads(threads["results"]),
    )


def _goals(results: Results) -> Iterator[str]:
    for goal in GOALS:
        if (found := standing(goal, results)) is not None:
            yield f"{goal.text}: {found}"


def _limit(results: Results) -> str:
    """Return Trireel's share of the rate of bare decoding, and the goals that this rate misses."""
    near = statistics.geometric_mean(_ratio(result, BARE) for result in results)
    short = sum(
        _ratio(result, FFMPEG) / _ratio(result, BARE) < goal.least
        for result in results
        for goal in GOALS
        if goal.peer == FFMPEG and goal.covers(result["clip"])
    )
    return (
        "No exact sampler on one thread is faster than bare decoding; Trireel has"
        f" {near:.0%} of its rate in the geometric mean; bare decoding itself misses the goal"
        f" against the ffmpeg commands in {short} of {len(results)} cases"
    )


def _ratio(result: dict[str, Any], peer: str, measure: str = "cpu") -> float:
    rates = result[measure]["per_second"]
    return float(rates[OURS] / rates[peer])


def _rates(results: Results, measure: str) -> str:
    peers = [name for name in results[0][measure]["per_second"] if name != OURS]
    rows = []
    for result in results:
        rates = result[measure]["per_second"]
        row = [result["clip"], result["frames_per_chunk"], f"{rates[OURS]:.4g}"]
        for peer in peers:
            row += [f"{rates[peer]:.4g}", f"{_ratio(result, peer, measure):.2f}"]
        rows.append(row)
    heads = " | ".join(f"{peer} | ratio" for peer in peers)
    return table(f"clip | frames per 10 s | Trireel | {heads}", rows)


def _threads(results: Results) -> str:
    rows = (
        (
            result["clip"],
            "one" if result["threads"] == 1 else f"{result['threads']}, {result['kind'].lower()}",
            f"{result['cpu_seconds']:.3f}",
            f"{result['wall_seconds']:.3f}",
        )
        for result in results
    )
    return table("clip | threads | CPU seconds | wall seconds", rows)
