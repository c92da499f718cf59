# SPDX-License-Identifier: Apache-2.0
"""The figures with goals, beside those of the pipeline on Ray Serve."""

from collections.abc import Iterator, Mapping

from benchmarks.common.levels import Level, Report, levels
from benchmarks.common.record import NO_MORE, Goal, Headline
from benchmarks.peer_ray_serve.levels import (
    SYSTEMS,
    median_of,
    parts_cpu_seconds,
    tower_frames_per_second,
)
from trireel_backend.towers.runtimes import ONNXRUNTIME, OPENVINO, OPENVINO_BF16

THROUGHPUT = {"tiny": Goal(3.0), "base": Goal(2.0)}
CPU_LEVEL = 4
ENGINES = {
    ONNXRUNTIME: "onnxruntime fp32",
    OPENVINO: "OpenVINO fp32",
    OPENVINO_BF16: "OpenVINO bf16",
}
"""Runtime and precision of a tower; the exports are fp32."""
PEER = f"Ray Serve in {ENGINES[ONNXRUNTIME]}"
Levels = Mapping[int, Level]


def engine(report: Report) -> str:
    """Return the runtime and precision of Trireel's tower."""
    return ENGINES[report["tower_engine"]]


def throughputs(report: Report, goal: Goal | None = None) -> Iterator[Headline]:
    """Yield the throughput at every concurrency of both systems."""
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    for concurrency in sorted(ours.keys() & theirs.keys()):
        if goal is None or concurrency > 1:
            what = f"Throughput at concurrency {concurrency} in {engine(report)}"
            rate, usual = (found[concurrency].per_second for found in (ours, theirs))
            yield Headline(what, rate, "requests/s", PEER, usual, goal)


def goals(report: Report) -> Iterator[Headline]:
    """Yield the figures that have a goal for the tower of a report."""
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    yield from throughputs(report, THROUGHPUT[report["tower"]])
    if report["tower_engine"] == ONNXRUNTIME:  # the parts alone are measured in it only
        what = "siglip_vision, batch 16, concurrency 4"
        served, bare = tower_frames_per_second(report)
        yield Headline(what, served, "frames/s", "the bare session", bare, Goal(0.95))
        cpu, beside = ours[CPU_LEVEL].cpu_seconds, "the sum of its parts alone"
        usual = sum(parts_cpu_seconds(report).values())
        yield Headline("CPU a request", cpu, "CPU-s", beside, usual, Goal(1.25, at_most=True))
    if report["tower"] == "tiny":
        yield from _whole(report, ours, theirs)


def _whole(report: Report, ours: Levels, theirs: Levels) -> Iterator[Headline]:
    """Yield latency, memory, start and behaviour under load."""
    beside = SYSTEMS["ray_serve"]
    p50, usual = (found[1].latency_ms[50] for found in (ours, theirs))
    goal = Goal(0.4, at_most=True)
    yield Headline("p50 at concurrency 1", p50, "ms", beside, usual, goal)
    memory, usual = (max(level.pss_mib for level in found.values()) for found in (ours, theirs))
    yield Headline("Memory", memory, "MiB", beside, usual, Goal(0.5, at_most=True))
    start, usual = (median_of(report, name, "start_seconds") for name in SYSTEMS)
    yield Headline("Start", start, "s", beside, usual, Goal(1.0, at_most=True))
    loaded = [level for concurrency, level in ours.items() if concurrency >= 4]
    rates = [level.per_second for level in loaded]
    what = f"Throughput from concurrency 4 to {max(ours)}, least over best"
    yield Headline(what, min(rates) / max(rates), goal=Goal(0.95))
    what = f"p99 over p50 from concurrency 4 to {max(ours)}, the most"
    spread = max(level.spread for level in loaded)
    yield Headline(what, spread, goal=Goal(1.5, at_most=True))
    failed = sum(level.failed for level in ours.values())
    yield Headline("Failed requests, all levels", failed, goal=NO_MORE)
