# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from tiny.json, base.json, tuned.json: python -m benchmarks.peer_ray_serve.table

What is not there is left out.
"""

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.words import processors
from benchmarks.peer_ray_serve.goals import (
    SYSTEMS,
    Level,
    Report,
    goals,
    levels,
    parts_cpu_seconds,
    start_seconds,
    tower_frames_per_second,
)

FOLDER = Path(__file__).parent
MODULE = "benchmarks.peer_ray_serve"
NAMES = {"trireel": "Trireel", "ray_serve": "Ray Serve"}


@dataclass(frozen=True)
class Section:
    """What one file of results is about."""

    file: str
    title: str
    options: str
    """Of the command, beside --output."""
    words: str
    has_goals: bool = True

    @property
    def command(self) -> str:
        """The command that measures it."""
        options = f" {self.options}" if self.options else ""
        return f"python -m {MODULE}{options} --output {MODULE.replace('.', '/')}/{self.file}"


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
        "93 million parameters, 224 x 224 pixels, random weights. Numbers of requests are fixed,"
        " and few; the window of a level is from its first request to its last answer.",
    ),
    Section(
        "bf16.json",
        "A tower of base size, in bf16",
        "--tower base --tower-engine openvino-bf16",
        "The same tower, which Trireel computes in bf16 with OpenVINO and the CPU's AMX, after the"
        " export's accuracy gate has passed on this machine; the pipeline has onnxruntime.",
    ),
)


def page(reports: dict[str, Report]) -> str:
    """Return RESULTS.md."""
    lines = [
        "# Beside the reference pipeline on Ray Serve",
        "",
        "Three deployments on Ray Serve as [the reference](peer/__init__.py) has them, with"
        " the same exported tower in onnxruntime, against the embedded server with its default"
        " settings. Videos of 12 s (two chunks), 384 x 384, 30 frames a second, H.264; each"
        " request is for a file of its own. The systems take turns; numbers are medians over"
        " the rounds. Memory is the sum of all processes' PSS. CPU time is that of the server"
        " with the commands it starts; the load generator's is beside it. Start is from the"
        " command to the first right answer.",
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
    yield section.words
    yield ""
    yield (
        f"`{section.command}`, {len(rounds)} rounds, videos from {report['store']}, on"
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
        "| concurrency | | requests/s | p50 ms | p95 ms | p99 ms | failed | CPU-s a request |"
        " load generator's | MiB |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for concurrency, level in ours.items():
        yield _row(concurrency, "Trireel", level)
        if (peer := theirs.get(concurrency)) is not None:
            yield _row(concurrency, "Ray Serve", peer)
            yield (
                f"| | ratio | **{level.per_second / peer.per_second:.2f}** |"
                + "".join(
                    f" {level.latency_ms[p] / peer.latency_ms[p]:.2f} |" for p in (50, 95, 99)
                )
                + f" | {level.cpu_seconds / peer.cpu_seconds:.2f} | |"
                f" {level.pss_mib / peer.pss_mib:.2f} |"
            )


def _row(concurrency: int, name: str, level: Level) -> str:
    latencies = " | ".join(f"{value:.0f}" for value in level.latency_ms.values())
    return (
        f"| {concurrency} | {name} | {level.per_second:.2f} | {latencies} | {level.failed} of"
        f" {level.requests + level.failed} | {level.cpu_seconds:.3f} |"
        f" {level.client_cpu_seconds:.4f} | {level.pss_mib:.0f} |"
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
    yield (
        f"A clip's parts alone: extraction in one process {parts['extraction']:.3f} CPU-s, the bare"
        f" session {parts['session']:.3f}. siglip_vision at batch 16, concurrency 4: {served:.1f}"
        f" frames/s; the bare session: {bare:.1f}."
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
