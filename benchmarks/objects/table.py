# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.common.levels import Level, Report
from benchmarks.common.pages import bullets, document, paragraph, processors, table
from benchmarks.common.record import Raw
from benchmarks.objects.figures import PARTS, cost, figures, latency_ms, level_of, part_cpu_seconds
from benchmarks.objects.rounds import CONCURRENCIES, FIND, MODES

FEWEST = 20
"""Least number of requests in a round for a p95; of fewer it is the slowest one."""
NAMES = {"trireel": "Trireel", "ray_serve": "Ray Serve"}


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
        return (
            f"python -m benchmarks.objects{self.options} --rounds {len(report['rounds'])}"
            f" --output benchmarks/objects/{self.file}"
        )


SECTIONS = (
    Section(
        "results.json",
        "The pipeline",
        "",
        "The decoding stage gives frames of the video's own size, and the detection stage resizes"
        " them as the checkpoint's image processor does.",
    ),
    Section(
        "fitted.json",
        "The pipeline fitted to the detector",
        " --peer-fitted",
        "ffmpeg scales to the size that the detector takes: no second resize is needed and less"
        " data is passed on. The goals are for the pipeline above.",
        has_goals=False,
    ),
)


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    sections = (_section(section, raw[section.file]) for section in SECTIONS if section.file in raw)
    return document(
        "# Objects",
        paragraph(
            "A detection pipeline of four deployments on Ray Serve, built as [the reference]"
            "(peer/__init__.py): API, chunking, FFmpeg decoding, detection. Beside it the embedded"
            " server with its default settings. Both have the same detector file, in onnxruntime."
            " Videos of 12 s (two chunks), 384 x 384, 30 frames a second, H.264, two frames looked"
            " at in each second; each request is for a file of its own. In mode `chunked` each"
            " chunk is answered on its own. In mode `combined` the pipeline detects on all frames"
            " in one call; Trireel also follows the objects over the whole video."
        ),
        paragraph(
            "The systems take turns; numbers are medians over the rounds. n is the number of"
            " answers in all rounds, and in the round with the fewest; if those are fewer than"
            f" {FEWEST}, p95 is left out. Memory is the sum of all processes' PSS. CPU time is"
            " that of the server with the commands it starts."
        ),
        *(block for section in sections for block in section),
    )


def _section(section: Section, report: Report) -> Iterator[str]:
    yield f"## {section.title}"
    yield paragraph(f"{section.text} {_run(section, report)}")
    if section.has_goals:
        yield bullets(goal_lines(report))
    yield _levels(report)
    yield paragraph(
        "All findings in one request: CPU time a request of the server at concurrency 1, and the"
        " median latency. One decode and each model's part is what tags, caption and scenes cost in"
        " one request, and the parts of objects alone in one process on the frames of a clip: "
        + ", ".join(f"{part} {part_cpu_seconds(report, part):.3f}" for part in PARTS)
        + " CPU-s."
    )
    yield _costs(report)


def goal_lines(report: Report) -> Iterator[str]:
    """Yield a line for each figure that has a goal."""
    for figure in figures(report):
        if figure.goal is not None:
            ratio = "" if figure.ratio is None else f" x {figure.beside}"
            met = "met" if figure.met else "not met"
            yield f"{figure.what}: {figure.judged:.2f}{ratio}, wanted {figure.goal}: {met}"


def _run(section: Section, report: Report) -> str:
    machine, rounds = report["machine"], report["rounds"]
    detector, peer = report["detector"], report["peer_packages"]
    shares = [
        level["others_cpu_seconds"] / (level["window_seconds"] * len(machine["cores"]))
        for found in rounds
        for system in found["systems"].values()
        for level in system["levels"]
    ]
    agreed = [each for found in rounds for each in found["agreement"].values()]
    same, objects = (sum(each[key] for each in agreed) for key in ("same", "objects"))
    return (
        f"`{section.command(report)}`, {len(rounds)} round{'s' * (len(rounds) > 1)}, on"
        f" {processors(machine)}, commit {machine['commit']}; the detector {detector['checkpoint']}"
        f" of {detector['width_px']} x {detector['height_px']} pixels; the pipeline with"
        f" {', '.join(f'{name} {version}' for name, version in peer.items())}. Other processes used"
        f" {statistics.median(shares):.0%} of the machine's CPU time meanwhile (median of the"
        f" levels, the most {max(shares):.0%}). {same} of {objects} objects are the same in both"
        " systems, whose frames are up to one frame of the video apart."
    )


def _levels(report: Report) -> str:
    rows: list[tuple[object, ...]] = []
    for mode in MODES:
        for concurrency in CONCURRENCIES:
            ours, theirs = (level_of(report, name, mode, concurrency) for name in NAMES)
            rows += [_row(mode, "Trireel", ours), _row(mode, "Ray Serve", theirs)]
            rate, cpu = ours.per_second / theirs.per_second, ours.cpu_seconds / theirs.cpu_seconds
            p50 = ours.latency_ms[50] / theirs.latency_ms[50]
            pss = ours.pss_mib / theirs.pss_mib
            ratios = (f"**{rate:.2f}**", f"{p50:.2f}", "", "", f"{cpu:.2f}", f"{pss:.2f}")
            rows.append(("", "", "ratio", "", *ratios))
    heads = "mode | concurrency | | n, all rounds / one | requests/s | p50 ms | p95 ms | failed |"
    return table(f"{heads} CPU-s a request | MiB", rows)


def _row(mode: str, name: str, level: Level) -> tuple[object, ...]:
    return (
        mode,
        level.concurrency,
        name,
        f"{level.requests} / {level.fewest}",
        f"{level.per_second:.2f}",
        f"{level.latency_ms[50]:.0f}",
        f"{level.latency_ms[95]:.0f}" if level.fewest >= FEWEST else "\u2013",
        level.failed,
        f"{level.cpu_seconds:.3f}",
        f"{level.pss_mib:.0f}",
    )


def _costs(report: Report) -> str:
    rows = [(name, f"{cost(report, name):.3f}", f"{latency_ms(report, name):.0f}") for name in FIND]
    return table("findings | CPU-s a request | p50 ms", rows)
