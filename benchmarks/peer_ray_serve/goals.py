# SPDX-License-Identifier: Apache-2.0
"""Medians over the rounds, their ratios, and the goals beside them."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trireel_backend.towers.runtimes import ONNXRUNTIME, OPENVINO, OPENVINO_BF16

Report = dict[str, Any]
SYSTEMS = ("trireel", "ray_serve")
QUANTILES = (50, 95, 99)
THROUGHPUT = {"tiny": 3.0, "base": 2.0}
CPU_LEVEL = 4
ENGINES = {
    ONNXRUNTIME: "onnxruntime fp32",
    OPENVINO: "OpenVINO fp32",
    OPENVINO_BF16: "OpenVINO bf16",
}
"""What computes the tower, and how precisely; the exports are fp32."""
PEER = f"Ray Serve in {ENGINES[ONNXRUNTIME]}"


def engine(report: Report) -> str:
    """Return what computes Trireel's tower, in words."""
    return ENGINES[report["tower_engine"]]


def quantile(values: list[float], percent: int) -> float:
    """Return a quantile: the least value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


@dataclass(frozen=True)
class Level:
    """A system at one concurrency: medians over the rounds."""

    concurrency: int
    per_second: float
    latency_ms: dict[int, float]
    """By percent."""
    spread: float
    """p99 over p50."""
    cpu_seconds: float
    """Per request, the load generator apart."""
    client_cpu_seconds: float
    pss_mib: float
    requests: int
    """Answered in all rounds."""
    fewest: int
    """Answered in a round: what stands behind a quantile."""
    failed: int


def levels(report: Report, system: str) -> dict[int, Level]:
    """Return a system's levels by concurrency."""
    runs: dict[int, list[Report]] = {}
    for found in report["rounds"]:
        for level in found["systems"][system]["levels"]:
            runs.setdefault(level["concurrency"], []).append(level)
    return {concurrency: _level(concurrency, of) for concurrency, of in runs.items()}


def _level(concurrency: int, runs: list[Report]) -> Level:
    def median(value: Any) -> float:
        return statistics.median(map(value, runs))

    def requests(run: Report) -> int:
        return max(1, len(run["latencies_ms"]))

    def latency(run: Report, percent: int) -> float:
        return quantile(run["latencies_ms"], percent)

    return Level(
        concurrency,
        median(lambda run: len(run["latencies_ms"]) / run["window_seconds"]),
        {p: median(lambda run, p=p: latency(run, p)) for p in QUANTILES},
        median(lambda run: latency(run, 99) / latency(run, 50)),
        median(lambda run: run["cpu_seconds"] / requests(run)),
        median(lambda run: run["client_cpu_seconds"] / requests(run)),
        median(lambda run: run["pss_mib"]["most"]),
        sum(len(run["latencies_ms"]) for run in runs),
        min(len(run["latencies_ms"]) for run in runs),
        sum(len(run["errors"]) for run in runs),
    )


def start_seconds(report: Report, system: str) -> float:
    """Return the median time from the command to the first right answer."""
    return statistics.median(
        found["systems"][system]["start_seconds"] for found in report["rounds"]
    )


def parts_cpu_seconds(report: Report) -> dict[str, float]:
    """Return the CPU time a clip that each part takes alone."""
    return {
        part: statistics.median(
            statistics.fmean(found["parts"][f"{part}_cpu_seconds"]) for found in report["rounds"]
        )
        for part in ("extraction", "session")
    }


def tower_frames_per_second(report: Report) -> tuple[float, float]:
    """Return the rates of the served tower and of the bare session."""
    served = (found["systems"]["trireel"]["tower"] for found in report["rounds"])
    bare = (found["parts"]["session_frames_per_second"] for found in report["rounds"])
    return statistics.median(each["frames_per_second"] for each in served), statistics.median(bare)


@dataclass(frozen=True)
class Goal:
    """What is wanted, and what was found."""

    text: str
    found: float
    bound: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Tell whether it is reached."""
        return self.found <= self.bound if self.at_most else self.found >= self.bound

    def __str__(self) -> str:
        words = "at most" if self.at_most else "at least"
        end = "met" if self.met else "not met"
        return f"{self.text}: {self.found:.2f}, wanted {words} {self.bound:g}: {end}"


def goals(report: Report) -> Iterator[Goal]:
    """Yield the goals of a tower."""
    ours, theirs = (levels(report, name) for name in SYSTEMS)
    for concurrency in (4, 16):
        if concurrency in ours and concurrency in theirs:
            ratio = ours[concurrency].per_second / theirs[concurrency].per_second
            text = f"{throughput_at(report, concurrency)}, times that on {PEER}"
            yield Goal(text, ratio, THROUGHPUT[report["tower"]])
    if report["tower_engine"] == ONNXRUNTIME:  # of which the parts alone are measured
        yield from _goals_of_the_tower(report)
        parts = sum(parts_cpu_seconds(report).values())
        text = "CPU a request, times the sum of its parts alone"
        yield Goal(text, ours[CPU_LEVEL].cpu_seconds / parts, 1.25, at_most=True)
    if report["tower"] == "tiny":
        yield from _goals_of_the_whole(report, ours, theirs)


def throughput_at(report: Report, concurrency: int) -> str:
    """Return what a throughput of Trireel's is called."""
    return f"Throughput at concurrency {concurrency} in {engine(report)}"


def _goals_of_the_tower(report: Report) -> Iterator[Goal]:
    served, bare = tower_frames_per_second(report)
    yield Goal(
        "siglip_vision, batch 16, concurrency 4, times the bare session", served / bare, 0.95
    )


def _goals_of_the_whole(
    report: Report, ours: dict[int, Level], theirs: dict[int, Level]
) -> Iterator[Goal]:
    p50 = ours[1].latency_ms[50] / theirs[1].latency_ms[50]
    yield Goal("p50 at concurrency 1, times that on Ray Serve", p50, 0.4, at_most=True)
    memory = [max(level.pss_mib for level in each.values()) for each in (ours, theirs)]
    yield Goal("Memory, times that on Ray Serve", memory[0] / memory[1], 0.5, at_most=True)
    start = [start_seconds(report, name) for name in SYSTEMS]
    yield Goal("Start, times that on Ray Serve", start[0] / start[1], 1.0, at_most=True)
    loaded = [level for concurrency, level in ours.items() if concurrency >= 4]
    rates = [level.per_second for level in loaded]
    text = f"Throughput from concurrency 4 to {max(ours)}, least over best"
    yield Goal(text, min(rates) / max(rates), 0.95)
    text = f"p99 over p50 from concurrency 4 to {max(ours)}, the most"
    yield Goal(text, max(level.spread for level in loaded), 1.5, at_most=True)
    text = "Failed requests, all levels"
    yield Goal(text, sum(level.failed for level in ours.values()), 0, at_most=True)


def lines(report: Report) -> Iterator[str]:
    """Yield the goals, one a line."""
    yield f"Medians of {len(report['rounds'])} rounds, {report['tower']} tower:"
    yield from (str(goal) for goal in goals(report))
