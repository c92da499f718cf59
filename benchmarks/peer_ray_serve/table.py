# SPDX-License-Identifier: Apache-2.0
"""The page of the results: a section for each file of raw numbers."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.common.levels import QUANTILES, Level, Report, levels
from benchmarks.common.pages import bullets, document, paragraph, processors, table
from benchmarks.common.record import Raw
from benchmarks.peer_ray_serve.goals import ENGINES, PEER, engine, goals
from benchmarks.peer_ray_serve.levels import (
    SYSTEMS,
    median_of,
    parts_cpu_seconds,
    tower_frames_per_second,
)
from trireel_backend.towers.runtimes import ONNXRUNTIME

MODULE = "benchmarks.peer_ray_serve"
FEWEST = 20
"""Least number of requests in a round for a p95 or a p99; of fewer it is the slowest one."""
MISSING = "\u2013"


@dataclass(frozen=True)
class Section:
    """One file of results."""

    file: str
    title: str
    options: str
    """Options of the command, beside --output."""
    text: str
    has_goals: bool = True

    def command(self, report: Report) -> str:
        """Return the command that measured a report."""
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
        "ffmpeg scales to the tower's own 96 x 96: no second resize is needed and less data is"
        " passed on. One process reads the whole video. The goals are for the pipeline above.",
        has_goals=False,
    ),
    Section(
        "base.json",
        "A tower of base size",
        "--tower base",
        "93 million parameters, 224 x 224 pixels, random weights, in the same runtime and precision"
        " on both sides. The numbers of requests are fixed and small; the window of a level is from"
        " its first request to its last answer.",
    ),
    Section(
        "bf16.json",
        "A tower of base size, in bf16",
        "--tower base --tower-engine openvino-bf16",
        "Trireel computes the same tower in bf16 with OpenVINO and the CPU's AMX, after the"
        " export's accuracy gate has passed on this machine. The pipeline stays in onnxruntime"
        " fp32: the ratio includes the difference in runtime and precision.",
    ),
)


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    sections = (_section(section, raw[section.file]) for section in SECTIONS if section.file in raw)
    return document(
        "# Beside the reference pipeline on Ray Serve",
        paragraph(
            "Three deployments on Ray Serve, built as [the reference](peer/__init__.py), beside the"
            " embedded server with its default settings; a section names the runtime of the tower"
            " if it is another. Both systems have the same exported tower. Videos of 12 s (two"
            " chunks), 384 x 384, 30 frames a second, H.264; each request is for a file of its own."
        ),
        paragraph(
            "The systems take turns; numbers are medians over the rounds. n is the number of"
            " answers in all rounds, and in the round with the fewest; if those are fewer than"
            f" {FEWEST}, p95 and p99 are left out. Memory is the sum of all processes' PSS. CPU"
            " time is that of the server with the commands it starts; that of the load generator is"
            " beside it. Start is the time from the command to the first correct answer."
        ),
        *(block for section in sections for block in section),
    )


def _section(section: Section, report: Report) -> Iterator[str]:
    machine, count = report["machine"], len(report["rounds"])
    peer = ", ".join(f"{name} {version}" for name, version in report["peer_packages"].items())
    yield f"## {section.title}"
    yield paragraph(f"**Trireel in {engine(report)}, {PEER}.** {section.text}")
    yield paragraph(
        f"`{section.command(report)}`, {count} round{'s' * (count > 1)}, videos from"
        f" {report['store']}, on {processors(machine)}, commit {machine['commit']}; the pipeline"
        f" with {peer}. {_quietness(report)} {_agreement(report)}"
    )
    if section.has_goals:
        yield bullets(goal_lines(report))
    yield _table(report)
    yield from _rest(report)


def goal_lines(report: Report) -> Iterator[str]:
    """Yield a line for each figure that has a goal."""
    for figure in goals(report):
        ratio = "" if figure.ratio is None else f" x {figure.beside}"
        met = "met" if figure.met else "not met"
        yield f"{figure.what}: {figure.judged:.2f}{ratio}, wanted {figure.goal}: {met}"


def _quietness(report: Report) -> str:
    shares = [
        level["others_cpu_seconds"] / (level["window_seconds"] * len(report["machine"]["cores"]))
        for found in report["rounds"]
        for system in found["systems"].values()
        for level in system["levels"]
    ]
    return (
        f"Other processes used {statistics.median(shares):.0%} of the machine's CPU time meanwhile"
        f" (median of the levels, the most {max(shares):.0%})."
    )


def _agreement(report: Report) -> str:
    found = [each["agreement"] for each in report["rounds"]]
    worst = min(each["worst_cosine"] for each in found)
    same, chunks = (sum(each[key] for each in found) for key in ("same_first_tag", "chunks"))
    return (
        "Both answers have the same chunks, the cosines of their mean embeddings are at least"
        f" {worst:.4f}, and the first tag is the same in {same} of {chunks}."
    )


def _table(report: Report) -> str:
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    rows: list[tuple[object, ...]] = []
    for concurrency, level in ours.items():
        rows.append(_row("Trireel", level))
        if (peer := theirs.get(concurrency)) is not None:
            rows += [_row("Ray Serve", peer), _ratios(level, peer)]
    return table(
        "concurrency | | n, all rounds / one | requests/s | p50 ms | p95 ms | p99 ms | failed |"
        " CPU-s a request | load generator's | MiB",
        rows,
    )


def _row(name: str, level: Level) -> tuple[object, ...]:
    latencies = (
        f"{level.latency_ms[percent]:.0f}" if _is_shown(percent, level) else MISSING
        for percent in QUANTILES
    )
    return (
        level.concurrency,
        name,
        f"{level.requests} / {level.fewest}",
        f"{level.per_second:.2f}",
        *latencies,
        level.failed,
        f"{level.cpu_seconds:.3f}",
        f"{level.client_cpu_seconds:.4f}",
        f"{level.pss_mib:.0f}",
    )


def _is_shown(percent: int, *both: Level) -> bool:
    """Return whether there are enough requests for a quantile; the median is always shown."""
    return percent == 50 or all(level.fewest >= FEWEST for level in both)


def _ratios(level: Level, peer: Level) -> tuple[object, ...]:
    latencies = (
        f"{level.latency_ms[percent] / peer.latency_ms[percent]:.2f}"
        if _is_shown(percent, level, peer)
        else MISSING
        for percent in QUANTILES
    )
    rate = f"**{level.per_second / peer.per_second:.2f}**"
    cpu = f"{level.cpu_seconds / peer.cpu_seconds:.2f}"
    return "", "ratio", "", rate, *latencies, "", cpu, "", f"{level.pss_mib / peer.pss_mib:.2f}"


def _rest(report: Report) -> Iterator[str]:
    """Yield start, memory, parts, and the limit of the machine."""
    first = report["rounds"][0]["systems"]
    starts, sizes = [], []
    for key, name in SYSTEMS.items():
        starts.append(f"{name} {median_of(report, key, 'start_seconds'):.1f} s")
        memory = median_of(report, key, "pss_mib_at_start")
        sizes.append(f"{name} {first[key]['processes']} processes, {memory:.0f} MiB")
    yield f"Start: {', '.join(starts)}. After the first answer: {', '.join(sizes)}."
    parts, cores = parts_cpu_seconds(report), len(report["machine"]["cores"])
    served, bare = tower_frames_per_second(report)
    same_engine = report["tower_engine"] == ONNXRUNTIME
    lanes = "; each thread of siglip_vision runs a part of the batch" if same_engine else ""
    yield paragraph(
        f"A clip's parts alone: extraction in one process {parts['extraction']:.3f} CPU-s, the bare"
        f" session {parts['session']:.3f}. siglip_vision in {engine(report)} at batch 16,"
        f" concurrency 4: {served:.1f} frames/s; the bare session: {bare:.1f}. The bare session is"
        f" one of {ENGINES[ONNXRUNTIME]} with {cores} threads, which share each run{lanes}."
    )
    if same_engine:  # the parts alone are measured in onnxruntime only
        limit = cores / sum(parts.values())
        shares = (
            f"{name} {max(level.per_second for level in levels(report, key).values()) / limit:.0%}"
            for key, name in SYSTEMS.items()
        )
        yield paragraph(
            f"Cores that ran only these parts would answer {limit:.3g} requests/s. The systems"
            f" reach, each at its best level: {', '.join(shares)}."
        )
