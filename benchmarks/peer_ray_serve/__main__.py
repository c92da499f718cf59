# SPDX-License-Identifier: Apache-2.0
"""Measure the reference pipeline on Ray Serve and Trireel in turn, on the same videos.

Run: python -m benchmarks.peer_ray_serve --output benchmarks/peer_ray_serve/tiny.json
     python -m benchmarks.peer_ray_serve --peer-extraction video --peer-frame-px 96 --output
         benchmarks/peer_ray_serve/tuned.json
     python -m benchmarks.peer_ray_serve --tower base --output benchmarks/peer_ray_serve/base.json
     python -m benchmarks.peer_ray_serve --tower base --tower-engine openvino-bf16 --output
         benchmarks/peer_ray_serve/bf16.json
     python -m benchmarks.peer_ray_serve.table
(needs the environment of scripts/test and a quiet machine). The pipeline's own packages are put
into an environment in the cache. Each request is for a file of its own, 12 s of 384 x 384 H.264;
with --store s3 (which wants `weed` on PATH) both systems download it instead.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.peer_ray_serve.agreement import compare
from benchmarks.peer_ray_serve.clips import make_clips
from benchmarks.peer_ray_serve.goals import lines
from benchmarks.peer_ray_serve.rounds import Bench, Load, run_round
from benchmarks.peer_ray_serve.stores import store
from benchmarks.peer_ray_serve.systems import Peer, peer_python
from benchmarks.peer_ray_serve.tower import TOWERS, find_tower
from trireel_backend.launch.signals import unwind_on_signals
from trireel_backend.towers.runtimes import ONNXRUNTIME, TOWER_ENGINES

CACHE = Path(tempfile.gettempdir()) / "trireel-peer-ray-serve"
FRAME_PX = 384
PEER_PACKAGES = ("ray", "fastapi", "uvicorn", "onnxruntime", "numpy", "imageio-ffmpeg")
ROUNDS = {"tiny": 5, "base": 3}
LOADS = {
    "tiny": Load(
        concurrencies={"ray_serve": [1, 4, 16], "trireel": [1, 4, 16, 64]},
        seconds=10.0,
        requests={},
        warm_up=6,
        tower_seconds=4.0,
        clips=8,
    ),
    # Seconds a request: numbers are fixed, and few.
    "base": Load(
        concurrencies={"ray_serve": [1, 4, 16], "trireel": [1, 4, 16]},
        seconds=math.inf,
        requests={1: 1, 4: 4, 16: 16},
        warm_up=0,
        tower_seconds=8.0,
        clips=2,
    ),
}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--output", type=Path, required=True, help="written anew after every round")
    add("--tower", choices=TOWERS, default="tiny")
    add("--rounds", type=int, help=f"default: {ROUNDS}")
    add("--seconds", type=float, help="window of every level, with the tiny tower")
    add("--store", choices=("file", "s3"), default="file", help="where the videos are read from")
    add("--cache", type=Path, default=CACHE, help="keeps clips, environment and export")
    add("--peer-python", type=Path, help="a Python with the packages of requirements.txt")
    add("--peer-extraction", choices=("chunks", "video"), default="chunks",
        help="one ffmpeg a chunk, or one for the whole video")  # fmt: skip
    add("--tower-engine", choices=TOWER_ENGINES, default=ONNXRUNTIME, help="Trireel's")
    add("--peer-frame-px", type=int, default=FRAME_PX, help="what ffmpeg scales to")
    return parser


def load_of(arguments: argparse.Namespace) -> Load:
    """Return how much is asked."""
    load = LOADS[arguments.tower]
    if arguments.seconds is None or math.isinf(load.seconds):
        return load
    return replace(load, seconds=arguments.seconds)


def peer_versions(python: Path) -> dict[str, str]:
    """Return the versions of the pipeline's packages."""
    code = "import json, sys; from importlib.metadata import version;"
    code += "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    done = subprocess.run(
        [str(python), "-c", code, *PEER_PACKAGES], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def measure(arguments: argparse.Namespace, bench: Bench) -> None:
    """Do all rounds, and write the results anew after each."""
    report: dict[str, Any] = {
        "machine": describe(),
        "peer_packages": peer_versions(bench.peer.python),
        "tower": arguments.tower,
        "store": arguments.store,
        "tower_engine": bench.tower_engine,
        "peer": {k: v for k, v in asdict(bench.peer).items() if k != "python"},
        "seconds": None if math.isinf(bench.load.seconds) else bench.load.seconds,
        "rounds": [],
    }
    rounds = arguments.rounds or ROUNDS[arguments.tower]
    for number in range(rounds):
        began = time.monotonic()
        print(f"Round {number + 1} of {rounds}", flush=True)
        found = run_round(bench, number)
        found["agreement"] = compare(found["systems"])
        print(f"  agreement: {found['agreement']}, {time.monotonic() - began:.0f} s", flush=True)
        report["rounds"].append(found)
        arguments.output.write_text(json.dumps(report) + "\n")
    print("\n".join(lines(report)))


def main() -> None:
    """Prepare what is needed, and measure."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    cache = arguments.cache.resolve()
    peer = Peer(
        arguments.peer_python or peer_python(cache),
        arguments.peer_extraction,
        arguments.peer_frame_px,
    )
    tower, clips = find_tower(arguments.tower, cache), make_clips(cache / "clips")
    with (
        tempfile.TemporaryDirectory(prefix="weed-") as work,
        store(arguments.store, clips, Path(work)) as videos,
    ):
        load = load_of(arguments)
        bench = Bench(tower, clips, videos, cache / "clips", peer, load, arguments.tower_engine)
        measure(arguments, bench)


if __name__ == "__main__":
    main()
