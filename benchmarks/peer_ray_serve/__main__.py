# SPDX-License-Identifier: Apache-2.0
"""Measure the reference pipeline on Ray Serve and Trireel in turn, on the same videos.

Each request is for a file of its own, 12 s of 384 x 384 H.264; with --store s3 both systems
download it. The options of the other files of results are in table.py.
"""

import argparse
import math
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.common.clips import short_clips
from benchmarks.common.machine import describe
from benchmarks.common.ray_serve import CACHE, peer_python, peer_versions
from benchmarks.common.record import write_raw
from benchmarks.common.stores import store
from benchmarks.peer_ray_serve.benchmark import BENCHMARK
from benchmarks.peer_ray_serve.rounds import Bench, Load, compare, run_round
from benchmarks.peer_ray_serve.systems import TOWERS, Peer, find_tower
from benchmarks.peer_ray_serve.table import goal_lines
from trireel_backend.launch.signals import unwind_on_signals
from trireel_backend.towers.runtimes import ONNXRUNTIME, TOWER_RUNTIMES

FRAME_PX = 384
LOADS = {
    "tiny": Load(
        concurrencies={"ray_serve": [1, 4, 16], "trireel": [1, 4, 16, 64]},
        rounds=5,
        seconds=10.0,
        requests={},
        warm_up=6,
        tower_seconds=4.0,
        clips=8,
    ),
    # A request takes seconds: their numbers are fixed and small.
    "base": Load(
        concurrencies={"ray_serve": [1, 4, 16], "trireel": [1, 4, 16]},
        rounds=3,
        seconds=math.inf,
        requests={1: 1, 4: 4, 16: 16},
        warm_up=0,
        tower_seconds=8.0,
        clips=2,
    ),
}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = BENCHMARK.parser()
    add = parser.add_argument
    add("--output", type=Path, required=True, help="raw numbers, written after every round")
    add("--tower", choices=TOWERS, default="tiny")
    add("--rounds", type=int, help="default: 5 with the tiny tower, else 3")
    add("--seconds", type=float, help="window of every level, with the tiny tower")
    add("--store", choices=("file", "s3"), default="file", help="source of the videos")
    add("--cache", type=Path, default=CACHE, help="keeps clips, environment and export")
    add("--peer-python", type=Path, help="a Python with the packages of requirements.txt")
    extraction = "an ffmpeg for each chunk, or one for the whole video"
    add("--peer-extraction", choices=("chunks", "video"), default="chunks", help=extraction)
    add("--tower-engine", choices=TOWER_RUNTIMES, default=ONNXRUNTIME, help="runtime of Trireel")
    add("--peer-frame-px", type=int, default=FRAME_PX, help="size that ffmpeg scales to")
    return parser


def measure(arguments: argparse.Namespace, bench: Bench) -> None:
    """Do all rounds, and write the results after each."""
    load = bench.load
    report: dict[str, Any] = {
        "machine": describe(),
        "peer_packages": peer_versions(bench.peer.python),
        "tower": arguments.tower,
        "store": arguments.store,
        "tower_engine": bench.tower_engine,
        "peer": {key: value for key, value in asdict(bench.peer).items() if key != "python"},
        "seconds": None if math.isinf(load.seconds) else load.seconds,
        "rounds": [],
    }
    for number in range(load.rounds):
        began = time.monotonic()
        print(f"Round {number + 1} of {load.rounds}", flush=True)
        found = run_round(bench, number)
        found["agreement"] = compare(found["systems"])
        print(f"  agreement: {found['agreement']}, {time.monotonic() - began:.0f} s", flush=True)
        report["rounds"].append(found)
        write_raw(arguments.output, report)
    print("\n".join(goal_lines(report)))


def main() -> None:
    """Prepare clips, tower and environment, and measure."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    cache = arguments.cache.resolve()
    python = arguments.peer_python or peer_python(cache)
    peer = Peer(python, arguments.peer_extraction, arguments.peer_frame_px)
    tower, clips = find_tower(arguments.tower, cache), short_clips(cache / "clips")
    load = LOADS[arguments.tower]
    load = replace(load, rounds=arguments.rounds or load.rounds)
    if arguments.seconds is not None and math.isfinite(load.seconds):
        load = replace(load, seconds=arguments.seconds)
    with (
        tempfile.TemporaryDirectory(prefix="weed-") as work,
        store(arguments.store, clips, Path(work)) as videos,
    ):
        bench = Bench(tower, clips, videos, cache / "clips", peer, load, arguments.tower_engine)
        measure(arguments, bench)


if __name__ == "__main__":
    main()
