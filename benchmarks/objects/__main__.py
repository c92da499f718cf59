# SPDX-License-Identifier: Apache-2.0
"""Measure objects in Trireel and in a pipeline on Ray Serve in turn, on the same videos."""

import argparse
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common.clips import short_clips
from benchmarks.common.machine import describe
from benchmarks.common.ray_serve import CACHE, peer_python, peer_versions
from benchmarks.common.record import ROOT, write_raw
from benchmarks.common.stores import store
from benchmarks.objects.benchmark import BENCHMARK
from benchmarks.objects.rounds import Bench, run_round
from benchmarks.objects.table import goal_lines
from trireel_backend.launch.signals import unwind_on_signals
from trireel_schema.detector import DETECTOR_FILE, read_detector

DETECTOR = ROOT / "export/detector/model"
"""The detector that a server has by default."""


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = BENCHMARK.parser()
    add = parser.add_argument
    add("--output", type=Path, required=True, help="raw numbers, written after every round")
    add("--detector", type=Path, default=DETECTOR, help="folder of the detector, of both systems")
    add("--peer-fitted", action="store_true", help="ffmpeg scales to the size of the detector")
    add("--rounds", type=int, default=3)
    add("--seconds", type=float, default=10.0, help="window of every level")
    add("--cost-requests", type=int, default=16, help="requests for each set of findings")
    add("--cache", type=Path, default=CACHE, help="keeps clips and environment")
    add("--peer-python", type=Path, help="a Python with the packages of requirements.txt")
    return parser


def measure(arguments: argparse.Namespace, bench: Bench) -> None:
    """Do all rounds, and write the results after each."""
    report: dict[str, Any] = {
        "is_fitted": bench.is_fitted,
        "machine": describe(),
        "peer_packages": peer_versions(bench.peer_python),
        "detector": asdict(read_detector(bench.detector / DETECTOR_FILE)),
        "seconds": bench.seconds,
        "rounds": [],
    }
    for number in range(arguments.rounds):
        began = time.monotonic()
        print(f"Round {number + 1} of {arguments.rounds}", flush=True)
        found = run_round(bench, number)
        print(f"  agreement: {found['agreement']}, {time.monotonic() - began:.0f} s", flush=True)
        report["rounds"].append(found)
        write_raw(arguments.output, report)
    print("\n".join(goal_lines(report)))


def main() -> None:
    """Prepare clips and environment, and measure."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    cache = arguments.cache.resolve()
    python = arguments.peer_python or peer_python(cache)
    clips = short_clips(cache / "clips")
    with (
        tempfile.TemporaryDirectory(prefix="objects-") as work,
        store("file", clips, Path(work)) as videos,
    ):
        detector = arguments.detector.resolve()
        bench = Bench(
            detector=detector,
            clips=clips,
            store=videos,
            peer_python=python,
            seconds=arguments.seconds,
            cost_requests=arguments.cost_requests,
            is_fitted=arguments.peer_fitted,
        )
        measure(arguments, bench)


if __name__ == "__main__":
    main()
