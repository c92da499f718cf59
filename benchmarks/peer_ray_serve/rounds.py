# SPDX-License-Identifier: Apache-2.0
"""One round: both systems in turn, then the parts of the work alone."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.asker import Asker, Found, watched
from benchmarks.common.footprint import Footprint
from benchmarks.common.ray_serve import temporary_folder
from benchmarks.common.record import ROOT
from benchmarks.common.server import CPU_ENVIRONMENT, Command, running
from benchmarks.common.stores import Store
from benchmarks.peer_ray_serve import systems
from benchmarks.peer_ray_serve.systems import Peer, Tower
from trireel_backend.towers.runtimes import ONNXRUNTIME

ASKER = "benchmarks.peer_ray_serve.asker"
BATCH = 16
TOWER_CONCURRENCY = 4
WARM_UP_CONCURRENCY = 2
NUM_CHUNKS = 2  # of a clip
MOST_PER_SECOND = 25  # videos laid out for a level: more than any system here answers
LEAST_COSINE = 0.99


@dataclass(frozen=True)
class Load:
    """The load of a round."""

    concurrencies: dict[str, list[int]]
    """Levels by name of the system."""
    rounds: int
    seconds: float
    """Window of every level; infinite if the number of requests is fixed instead."""
    requests: dict[int, int]
    """Fixed numbers of requests by concurrency."""
    warm_up: int
    """Requests before the first level that are not timed."""
    tower_seconds: float
    """Time for the served tower, and for the bare session."""
    clips: int
    """Number of clips that are compared between the systems, and measured part by part."""

    def videos(self, concurrency: int) -> int:
        """Return the number of videos that a level may need."""
        if math.isinf(self.seconds):
            return self.requests[concurrency]
        return 2 * concurrency + int(MOST_PER_SECOND * self.seconds)

    def tower_requests(self) -> int | None:
        """Return the number of batches for the served tower, None if a window ends them."""
        return 2 * TOWER_CONCURRENCY if math.isinf(self.seconds) else None


@dataclass(frozen=True)
class Bench:
    """The parts that all rounds share."""

    tower: Tower
    clips: list[Path]
    store: Store
    media: Path
    """Media folder of Trireel; it contains the store's files."""
    peer: Peer
    load: Load
    tower_engine: str = ONNXRUNTIME
    """Runtime of Trireel's tower; that of the pipeline on Ray Serve is onnxruntime."""


def run_round(bench: Bench, number: int) -> Found:
    """Measure everything once; the order of the systems changes from round to round."""
    names = ["ray_serve", "trireel"] if number % 2 == 0 else ["trireel", "ray_serve"]
    found: Found = {"load_average": os.getloadavg()[0], "order": names, "systems": {}}
    for name in names:
        found["systems"][name] = measure(bench, name)
    found["parts"] = parts(bench)
    return found


def measure(bench: Bench, name: str) -> Found:
    """Start a system, load it at every level, and stop it."""
    with ExitStack() as stack:
        if name == "trireel":
            command = systems.trireel(bench.tower, bench.store, bench.media, bench.tower_engine)
        else:
            temporary = stack.enter_context(temporary_folder())
            command = systems.ray_serve(bench.peer, bench.tower, bench.store, temporary)
        stack.callback(bench.store.clear)
        asker = stack.enter_context(Asker(command, ASKER))
        found, footprint = _start(bench, command, asker, stack)
        print(f"  {name}: correct answer after {found['start_seconds']:.1f} s", flush=True)
        found["chunks"] = asker.do(do="answer", videos=bench.store.lay_out(bench.load.clips))
        if warm_up := bench.store.lay_out(bench.load.warm_up):
            asker.do(do="level", videos=warm_up, concurrency=WARM_UP_CONCURRENCY, seconds=math.inf)
        found["levels"] = [
            _level(bench, asker, footprint, concurrency)
            for concurrency in bench.load.concurrencies[name]
        ]
        found["pss_mib_by_process"] = footprint.pss_mib()
        if name == "trireel":
            found["tower"] = _tower(bench, asker, footprint)
    return found


def _start(
    bench: Bench, command: Command, asker: Asker, stack: ExitStack
) -> tuple[Found, Footprint]:
    (video,) = bench.store.lay_out(1)
    footprint, began = stack.enter_context(running(command))
    (chunks,) = asker.do(do="answer", videos=[video])
    found: Found = {"start_seconds": round(time.monotonic() - began, 3)}
    if len(chunks) != NUM_CHUNKS:
        raise RuntimeError(f"{command.name} answered {len(chunks)} chunks, not {NUM_CHUNKS}")
    found["pss_mib_at_start"] = footprint.total_pss_mib()
    found["processes"] = len(footprint.family())
    return found, footprint


def _level(bench: Bench, asker: Asker, footprint: Footprint, concurrency: int) -> Found:
    videos = bench.store.lay_out(bench.load.videos(concurrency))
    command = {"do": "level", "concurrency": concurrency, "videos": videos}
    found = watched(asker, footprint, command | {"seconds": bench.load.seconds})
    bench.store.clear()
    times = found["latencies_ms"]
    middle = statistics.median(times) if times else math.nan
    print(
        f"    {concurrency:3} at once: {len(times) / found['window_seconds']:6.2f} requests/s,"
        f" p50 {middle:7.0f} ms, {found['cpu_seconds'] / max(1, len(times)):.3f} CPU-s each,"
        f" {found['pss_mib']['most']:.0f} MiB, {len(found['errors'])} failed; other processes"
        f" {found['others_cpu_seconds']:.1f} CPU-s in {found['window_seconds']:.1f} s",
        flush=True,
    )
    return found


def _tower(bench: Bench, asker: Asker, footprint: Footprint) -> Found:
    command = {
        "do": "tower",
        "batch": BATCH,
        "size_px": bench.tower.size_px,
        "concurrency": TOWER_CONCURRENCY,
        "requests": bench.load.tower_requests(),
        "seconds": math.inf if bench.load.tower_requests() else bench.load.tower_seconds,
    }
    found = watched(asker, footprint, command)
    per_second = len(found["latencies_ms"]) * BATCH / found["window_seconds"]
    found["frames_per_second"] = round(per_second, 2)
    print(f"    siglip_vision: {per_second:.1f} frames/s", flush=True)
    return found


def parts(bench: Bench) -> Found:
    """Measure the parts alone, while nothing else runs."""
    command = [sys.executable, "-m", "benchmarks.peer_ray_serve.parts"]
    command += ["--onnx", str(bench.tower.onnx), "--size-px", str(bench.tower.size_px)]
    command += ["--threads", str(len(os.sched_getaffinity(0)))]
    command += ["--seconds", str(bench.load.tower_seconds)]
    command += map(str, bench.clips[: bench.load.clips])
    environment = {**os.environ, **CPU_ENVIRONMENT, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found: Found = json.loads(done.stdout)
    print("  parts alone:", found, flush=True)
    return found


def compare(found: dict[str, Found]) -> Found:
    """Compare the chunks' mean embeddings and first tags, and remove them from the results.

    Raises:
        RuntimeError: if the numbers of chunks differ, or if a mean's cosine is below 0.99 and its
            first tag differs: the systems do not do the same work.
    """
    ours, theirs = (found[name].pop("chunks") for name in ("trireel", "ray_serve"))
    if [len(clip) for clip in ours] != [len(clip) for clip in theirs]:
        raise RuntimeError("the systems cut the videos into different numbers of chunks")
    pairs = [pair for clips in zip(ours, theirs, strict=True) for pair in zip(*clips, strict=True)]
    cosines = [float(np.dot(a["embedding"], b["embedding"])) for a, b in pairs]
    same = [a["tag"] == b["tag"] for a, b in pairs]
    for cosine, tag in zip(cosines, same, strict=True):
        if cosine < LEAST_COSINE and not tag:
            raise RuntimeError(f"a chunk's means have cosine {cosine:.4f}, and other first tags")
    return {
        "chunks": len(pairs),
        "worst_cosine": round(min(cosines), 5),
        "median_cosine": round(float(np.median(cosines)), 5),
        "same_first_tag": sum(same),
    }
