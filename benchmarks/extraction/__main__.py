# SPDX-License-Identifier: Apache-2.0
"""Frames sampled per CPU-second, and chunks per second on two cores, beside other ways to sample.

Run: python -m benchmarks.extraction --cache /tmp/clips --output benchmarks/extraction/results.json
     python -m benchmarks.extraction.table
(needs the environment of scripts/test; decord and torchcodec take part where they are installed,
see requirements.txt). Every method samples the same number of frames from the same clips and scales
them to 384 x 384; they take turns, several rounds, and the median of each is kept. CPU time is that
of this process and of the commands it starts.
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.common.machine import describe
from benchmarks.extraction import two_cores
from benchmarks.extraction.clips import CLIPS, make_clip
from benchmarks.extraction.methods import METHODS, Job
from benchmarks.extraction.peers import PEERS

ROUNDS = 5
FRAMES_PER_CHUNK = (16, 10)  # the replaced pipeline's own number, and one a second
ALL_METHODS = METHODS | PEERS


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure_cpu(job: Job, rounds: int) -> dict[str, object]:
    """Let all methods take turns on one clip; return frames per CPU-second and every round."""
    runs = {name: partial(method, job) for name, method in ALL_METHODS.items()}
    return _take_turns(runs, rounds, cpu_seconds, len(job.targets_seconds))


def measure_wall(job: Job, rounds: int, pool: ProcessPoolExecutor) -> dict[str, object]:
    """Let all methods take turns on two cores; return chunks per second and every round."""
    runs = {name: partial(two_cores.run, pool, name, job) for name in two_cores.NAMES}
    chunks = two_cores.WORKERS * len(job.chunks())
    return _take_turns(runs, rounds, time.monotonic, chunks)


def _take_turns(
    runs: dict[str, Callable[[], int]], rounds: int, clock: Callable[[], float], amount: int
) -> dict[str, object]:
    """Return what `amount` makes by the second, how many frames there were, and every round."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    frames = {}
    for _ in range(rounds):
        for name, run in runs.items():
            began = clock()
            frames[name] = run()
            seconds[name].append(clock() - began)
    rates = {name: amount / statistics.median(taken) for name, taken in seconds.items()}
    return {
        "per_second": {name: round(rate, 2) for name, rate in rates.items()},
        "frames": frames,
        "seconds": {name: [round(s, 4) for s in taken] for name, taken in seconds.items()},
    }


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder that keeps the clips for the next time")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--clips", nargs="*", help="only these", choices=[c.name for c in CLIPS])
    return parser


def main() -> None:
    """Run all clips and write the results, anew after each."""
    arguments = create_parser().parse_args()
    report = {
        "machine": describe(),
        "unit": "per_second: frames per CPU-second; on two cores, chunks per second of wall time",
        "rounds": arguments.rounds,
        "results": [],
    }
    clips = [clip for clip in CLIPS if not arguments.clips or clip.name in arguments.clips]
    with tempfile.TemporaryDirectory() as temporary, two_cores.workers() as pool:
        folder = arguments.cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for clip, frames_per_chunk in product(clips, FRAMES_PER_CHUNK):
            job = Job(make_clip(clip, folder), frames_per_chunk)
            report["results"].append(_measure(clip.name, job, arguments.rounds, pool))
            arguments.output.write_text(json.dumps(report, indent=1) + "\n")


def _measure(name: str, job: Job, rounds: int, pool: ProcessPoolExecutor) -> dict[str, object]:
    began = time.monotonic()
    result = {
        "clip": name,
        "frames_per_chunk": job.frames_per_chunk,
        "cpu": measure_cpu(job, rounds),
        "two_cores": measure_wall(job, rounds, pool),
    }
    print(name, job.frames_per_chunk, result["cpu"]["per_second"], flush=True)
    print(f"    {time.monotonic() - began:.0f} s", result["two_cores"]["per_second"], flush=True)
    return result


if __name__ == "__main__":
    main()
