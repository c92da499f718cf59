# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from the raw numbers beside it: python -m benchmarks.peer_ray_serve.table

They are tiny.json, tuned.json, base.json and bf16.json; what is not there is left out.
"""

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.words import processors
from benchmarks.peer_ray_serve.goals import (
    ENGINES,
    PEER,
    QUANTILES,
    SYSTEMS,
    Level,
    Report,
    engine,
    goals,
    levels,
    parts_cpu_seconds,
    start_seconds,
    tower_frames_per_second,
)
from trireel_backend.towers.runtimes import ONNXRUNTIME

FOLDER = Path(__file__).parent
MODULE = "benchmarks.peer_ray_serve"
NAMES = {"trireel": "Trireel", "ray_serve": "Ray Serve"}
FEWEST = 20
"""Requests of a round that have to stand behind a p95 or a p99: of fewer it is the slowest."""
LANES = "; those of siglip_vision run a part of the batch each"
"""Where it has the same engine."""
MISSING = "\u2013"


@dataclass(frozen=True)
class Section:
    """What one file of results is about."""

    file: str
    title: str
    options: str
    """Of the command, beside --output."""
    words: str
    has_goals: bool = True

    def command(self, report: Report) -> str:
        """Return the command that measured it."""
        options = f" {self.options}" if self.options else ""
        return (
            f"python -m {MODULE}{options} --rounds {len(report['rounds'])} --output"
            f" {MODULE.replace('.', '/')}/{self.file}"
        )


SECTIONS = (
    Section(
        "tiny.json",
        "The bundled tower",
        "",
        "1.5 million parameters, 96 x 96 pixels. The pipeline has ffmpeg scale to 384 x 384, as the"
        " original does, and resizes to the tower's size as the checkpoint's processor does.",
    ),
    Section(
        "tuned.json",
        "The bundled tower, the pipeline fitted to it",
        "--peer-extraction video --peer-frame-px 96",
        "ffmpeg scales to the tower's own 96 x 96, so that nothing is resized after it and less"
        " is passed on; one process reads the whole video. The goals speak of the pipeline above.",
        has_goals=False,
    ),
    Section(
        "base.json",
        "A tower of base size",
        "--tower base",
        "93 million parameters, 224 x 224 pixels, random weights; both sides compute them in the"
        " same engine and precision. Numbers of requests are fixed, and few; the window of a level"
        " is from its first request to its last answer.",
    ),
    Section(
        "bf16.json",
        "A tower of base size, in bf16",
        "--tower base --tower-engine openvino-bf16",
        "The same tower, which Trireel computes in bf16 with OpenVINO and the CPU's AMX, after the"
        " export's accuracy gate has passed on this machine. The pipeline stays in onnxruntime"
        " fp32: the ratio is that of the two as they can be run here, engine and precision"
        " included.",
    ),
)


def page(reports: dict[str, Report]) -> str:
    """Return RESULTS.md."""
    lines = [
        "# Beside the reference pipeline on Ray Serve",
        "",
        "Three deployments on Ray Serve as [the reference](peer/__init__.py) has them, against the"
        " embedded server with its default settings, but for the engine where a section names"
        " another. Both have the same exported tower; each section says in which engine and"
        " precision either computes it. Videos of 12 s (two chunks), 384 x 384, 30 frames a second,"
        " H.264; each request is for a file of its own. The systems take turns; numbers are medians"
        " over the rounds. n is how many answers they are from: in all rounds, and in the round"
        f" with the fewest; where those are fewer than {FEWEST}, p95 and p99 are left out. Memory"
        " is the sum of all processes' PSS. CPU time is that of the server with the commands it"
        " starts; the load generator's is beside it. Start is from the command to the first right"
        " answer.",
    ]
    for section in SECTIONS:
        if section.file in reports:
            lines += ["", *_section(section, reports[section.file])]
    return "\n".join(lines) + "\n"


def _section(section: Section, report: Report) -> Iterator[str]:
    machine, rounds = report["machine"], report["rounds"]
    peer = ", ".join(f"{name} {version}" for name, version in report["peer_packages"].items())
    yield f"## {section.title}"
    yield ""
    yield f"**Trireel in {engine(report)}, {PEER}.** {section.words}"
    yield ""
    yield (
        f"`{section.command(report)}`, {_rounds(len(rounds))}, videos from {report['store']}, on"
        f" {processors(machine)}, commit {machine['commit']}; the pipeline with {peer}."
        f" {_quietness(report)} {_agreement(report)}"
    )
    yield ""
    if section.has_goals:
        yield from (f"- {goal}" for goal in goals(report))
        yield ""
    yield from _table(report)
    yield ""
    yield from _rest(report)


def _rounds(number: int) -> str:
    return f"{number} round{'s' * (number > 1)}"


def _quietness(report: Report) -> str:
    shares = [
        level["others_cpu_seconds"] / (level["window_seconds"] * len(report["machine"]["cores"]))
        for found in report["rounds"]
        for system in found["systems"].values()
        for level in system["levels"]
    ]
    return (
        f"Other processes took {statistics.median(shares):.0%} of the machine's CPU time meanwhile"
        f" (median of the levels, the most {max(shares):.0%})."
    )


def _agreement(report: Report) -> str:
    found = [each["agreement"] for each in report["rounds"]]
    worst = min(each["worst_cosine"] for each in found)
    same, chunks = (sum(each[key] for each in found) for key in ("same_first_tag", "chunks"))
    return (
        "Both answers name the same chunks, their mean embeddings have cosines of at least"
        f" {worst:.4f}, the first tag is the same in {same} of {chunks}."
    )


def _table(report: Report) -> Iterator[str]:
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    yield (
        "| concurrency | | n, all rounds / one | requests/s | p50 ms | p95 ms | p99 ms | failed |"
        " CPU-s a request | load generator's | MiB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for concurrency, level in ours.items():
        yield _row(concurrency, "Trireel", level)
        if (peer := theirs.get(concurrency)) is not None:
            yield _row(concurrency, "Ray Serve", peer)
            yield _ratios(level, peer)


def _row(concurrency: int, name: str, level: Level) -> str:
    latencies = " | ".join(_latency(level, percent) for percent in QUANTILES)
    return (
        f"| {concurrency} | {name} | {level.requests} / {level.fewest} | {level.per_second:.2f} |"
        f" {latencies} | {level.failed} | {level.cpu_seconds:.3f} |"
        f" {level.client_cpu_seconds:.4f} | {level.pss_mib:.0f} |"
    )


def _latency(level: Level, percent: int) -> str:
    return f"{level.latency_ms[percent]:.0f}" if _is_told(level, percent) else MISSING


def _is_told(level: Level, percent: int) -> bool:
    """Return whether enough requests stand behind a quantile; the median is always told."""
    return percent == 50 or level.fewest >= FEWEST


def _ratios(level: Level, peer: Level) -> str:
    latencies = (
        f"{level.latency_ms[percent] / peer.latency_ms[percent]:.2f}"
        if _is_told(level, percent) and _is_told(peer, percent)
        else MISSING
        for percent in QUANTILES
    )
    return (
        f"| | ratio | | **{level.per_second / peer.per_second:.2f}** | {' | '.join(latencies)} | |"
        f" {level.cpu_seconds / peer.cpu_seconds:.2f} | | {level.pss_mib / peer.pss_mib:.2f} |"
    )


def _rest(report: Report) -> Iterator[str]:
    starts = ", ".join(f"{NAMES[name]} {start_seconds(report, name):.1f} s" for name in SYSTEMS)
    first = report["rounds"][0]["systems"]
    memory = {
        name: statistics.median(
            found["systems"][name]["pss_mib_at_start"] for found in report["rounds"]
        )
        for name in SYSTEMS
    }
    at_start = ", ".join(
        f"{NAMES[name]} {first[name]['processes']} processes, {memory[name]:.0f} MiB"
        for name in SYSTEMS
    )
    parts = parts_cpu_seconds(report)
    served, bare = tower_frames_per_second(report)
    yield f"Start: {starts}. After the first answer: {at_start}."
    yield ""
    cores = len(report["machine"]["cores"])
    yield (
        f"A clip's parts alone: extraction in one process {parts['extraction']:.3f} CPU-s, the bare"
        f" session {parts['session']:.3f}. siglip_vision in {engine(report)} at batch 16,"
        f" concurrency 4: {served:.1f} frames/s; the bare session: {bare:.1f}. The bare session is"
        f" one of {ENGINES[ONNXRUNTIME]} with {cores} threads, which share each run"
        f"{LANES if report['tower_engine'] == ONNXRUNTIME else ''}."
    )
    if report["tower_engine"] == ONNXRUNTIME:  # of which the parts alone are measured
        yield ""
        yield _limit(report, cores / sum(parts.values()))


def _limit(report: Report, per_second: float) -> str:
    """Return how near both come to what the cores could do."""
    best = {
        name: max(level.per_second for level in levels(report, name).values()) for name in SYSTEMS
    }
    reached = ", ".join(f"{NAMES[name]} {best[name] / per_second:.0%}" for name in SYSTEMS)
    return (
        f"Cores that did nothing but these parts would answer {per_second:.3g} requests/s. At its"
        f" best level each reaches of that: {reached}."
    )


def main() -> None:
    """Read what is there and write RESULTS.md beside it."""
    reports = {
        section.file: json.loads((FOLDER / section.file).read_text())
        for section in SECTIONS
        if (FOLDER / section.file).exists()
    }
    (FOLDER / "RESULTS.md").write_text(page(reports))


if __name__ == "__main__":
    main()
