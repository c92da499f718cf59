# SPDX-License-Identifier: Apache-2.0
"""One round: both systems in turn, the findings alone and together, and the detector alone."""

import json
import math
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.asker import Asker, Found, watched
from benchmarks.common.footprint import Footprint
from benchmarks.common.ray_serve import on_ray, temporary_folder
from benchmarks.common.record import ROOT
from benchmarks.common.server import CPU_ENVIRONMENT, Command, running, served
from benchmarks.common.stores import Store
from benchmarks.objects.agreement import compare
from benchmarks.objects.asker import FPS
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE

MODES = ("chunked", "combined")
CONCURRENCIES = (1, 4)
COMPARED_CLIPS = 2
WARM_UP = 6
COST_TURN = 4
"""Requests for a set of findings before the next set has its turn."""
MOST_PER_SECOND = 25
FIND = {
    "tags": ["tags"],
    "caption": ["caption"],
    "scenes": ["scenes"],
    "objects": ["objects"],
    "tags, caption, scenes": ["tags", "caption", "scenes"],
    "all four": ["tags", "caption", "scenes", "objects"],
}
"""Sets of findings whose cost is measured, by their names."""


@dataclass(frozen=True)
class Bench:
    """The parts that all rounds share."""

    detector: Path
    """Folder of the detector that both systems run."""
    clips: list[Path]
    store: Store
    peer_python: Path
    seconds: float
    """Window of every level."""
    cost_requests: int
    """Requests for each set of findings."""
    is_fitted: bool
    """True if the pipeline's ffmpeg scales to the size of the detector."""


def run_round(bench: Bench, number: int) -> Found:
    """Measure everything once; the order of the systems changes from round to round."""
    names = ["ray_serve", "trireel"] if number % 2 == 0 else ["trireel", "ray_serve"]
    found: Found = {"load_average": os.getloadavg()[0], "order": names, "systems": {}}
    answers: dict[str, Any] = {}
    for name in names:
        with ExitStack() as stack:
            command = _command(bench, name, stack)
            stack.callback(bench.store.clear)
            asker = stack.enter_context(Asker(command, "benchmarks.objects.asker"))
            footprint, _ = stack.enter_context(running(command))
            print(f"  {name}", flush=True)
            _warm_up(bench, asker)
            for mode in MODES:
                videos = bench.store.lay_out(COMPARED_CLIPS)
                answers[f"{name} {mode}"] = asker.do(do="answer", mode=mode, videos=videos)
                levels = [_level(bench, asker, footprint, mode, at) for at in CONCURRENCIES]
                found["systems"][f"{name} {mode}"] = {"levels": levels}
            if name == "trireel":
                found["costs"] = _costs(bench, asker, footprint, number)
    found["agreement"] = {
        mode: compare(answers[f"trireel {mode}"], answers[f"ray_serve {mode}"]) for mode in MODES
    }
    found["parts"] = _parts(bench)
    return found


def _command(bench: Bench, name: str, stack: ExitStack) -> Command:
    if name == "trireel":
        folder = str(bench.clips[0].parent)
        return served("--media", folder, "--detector", str(bench.detector))
    temporary = stack.enter_context(temporary_folder())
    arguments = ["--onnx", str(bench.detector / DETECTOR_GRAPH_FILE)]
    arguments += ["--metadata", str(bench.detector / DETECTOR_FILE)]
    if bench.is_fitted:
        arguments.append("--fitted")
    return on_ray(bench.peer_python, "benchmarks.objects.peer.serve", arguments, temporary)


def _warm_up(bench: Bench, asker: Asker) -> None:
    for mode in MODES:
        videos = bench.store.lay_out(WARM_UP)
        asker.do(do="level", videos=videos, mode=mode, concurrency=2, seconds=math.inf)


def _level(bench: Bench, asker: Asker, footprint: Footprint, mode: str, concurrency: int) -> Found:
    videos = bench.store.lay_out(2 * concurrency + int(MOST_PER_SECOND * bench.seconds))
    command = {"do": "level", "mode": mode, "concurrency": concurrency, "videos": videos}
    found = watched(asker, footprint, command | {"seconds": bench.seconds})
    bench.store.clear()
    times = found["latencies_ms"]
    print(
        f"    {mode}, {concurrency} at once: {len(times) / found['window_seconds']:.2f} requests/s,"
        f" p50 {statistics.median(times) if times else math.nan:.0f} ms,"
        f" {found['cpu_seconds'] / max(1, len(times)):.3f} CPU-s each, {len(found['errors'])}"
        f" failed; other processes {found['others_cpu_seconds']:.1f} CPU-s in"
        f" {found['window_seconds']:.1f} s",
        flush=True,
    )
    return found


def _costs(bench: Bench, asker: Asker, footprint: Footprint, number: int) -> Found:
    """Return the CPU time of requests for each set of findings, at concurrency 1.

    The sets take turns, since the speed of a machine changes; their order changes from turn to
    turn.
    """
    found: Found = {name: {"latencies_ms": [], "cpu_seconds": 0.0} for name in FIND}
    names = list(FIND)
    for turn in range(-(-bench.cost_requests // COST_TURN)):
        first = (number + turn) % len(names)
        for name in names[first:] + names[:first]:
            videos = bench.store.lay_out(COST_TURN)
            command = {"do": "level", "videos": videos, "mode": "combined", "find": FIND[name]}
            level = watched(asker, footprint, command | {"concurrency": 1, "seconds": math.inf})
            bench.store.clear()
            if level["errors"]:
                raise RuntimeError(f"a request for {name} failed: {level['errors'][0]}")
            found[name]["latencies_ms"] += level["latencies_ms"]
            found[name]["cpu_seconds"] = round(found[name]["cpu_seconds"] + level["cpu_seconds"], 3)
    for name, cost in found.items():
        cpu_seconds = cost["cpu_seconds"] / len(cost["latencies_ms"])
        print(f"    {name}: {cpu_seconds:.3f} CPU-s each", flush=True)
    return found


def _parts(bench: Bench) -> Found:
    """Measure the detector's graph alone, while nothing else runs."""
    command = [sys.executable, "-m", "benchmarks.objects.parts", "--fps", str(FPS)]
    command += ["--detector", str(bench.detector), "--threads", str(len(os.sched_getaffinity(0)))]
    command += map(str, bench.clips)
    environment = {**os.environ, **CPU_ENVIRONMENT, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found: Found = json.loads(done.stdout)
    print("  detector alone:", found, flush=True)
    return found
