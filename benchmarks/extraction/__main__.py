# SPDX-License-Identifier: Apache-2.0
"""Frames sampled per CPU-second: this extractor, the replaced pipeline's ffmpeg, and others.

Run: python -m benchmarks.extraction --output benchmarks/extraction/results.json
(needs the environment of scripts/test; decord and torchcodec take part where they are installed).
Every method samples the same number of frames from the same clips and scales them to 384 x 384;
they take turns, several rounds, and the median of each is kept. CPU time is that of this process
and of the commands it starts.
"""

import argparse
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.extraction.clips import CLIPS, Clip, make_clip
from benchmarks.extraction.methods import METHODS, Method

ROUNDS = 5
CHUNK_SECONDS = 10.0


@dataclass(frozen=True)
class Measurement:
    """One pass of one method over one clip."""

    frames: int
    cpu_seconds: float
    wall_seconds: float


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(method: Callable[[], int]) -> Measurement:
    """Time one pass."""
    wall, cpu = time.monotonic(), cpu_seconds()
    frames = method()
    return Measurement(frames, cpu_seconds() - cpu, time.monotonic() - wall)


def run_clip(clip: Clip, folder: Path, frames_per_chunk: int, rounds: int) -> dict[str, object]:
    """Let all methods take turns on one clip; return medians and every round."""
    path = make_clip(clip, folder)
    passes: dict[str, list[Measurement]] = {name: [] for name in METHODS}
    for _ in range(rounds):
        for name, method in METHODS.items():
            passes[name].append(
                measure(lambda method=method: sample(method, path, frames_per_chunk))
            )
    per_cpu_second = {
        name: statistics.median(m.frames / m.cpu_seconds for m in measured)
        for name, measured in passes.items()
    }
    return {
        "clip": clip.name,
        "frames_per_chunk": frames_per_chunk,
        "frames_per_cpu_second": {name: round(value, 1) for name, value in per_cpu_second.items()},
        "ratio_to": {
            name: round(per_cpu_second["trireel"] / value, 2)
            for name, value in per_cpu_second.items()
            if name != "trireel"
        },
        "rounds": {
            name: [[m.frames, round(m.cpu_seconds, 4), round(m.wall_seconds, 4)] for m in measured]
            for name, measured in passes.items()
        },
    }


def sample(method: Method, path: Path, frames_per_chunk: int) -> int:
    """Run one method over a whole clip; return the number of frames."""
    return method(path, CHUNK_SECONDS, frames_per_chunk)


def main() -> None:
    """Run all clips and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--clips", nargs="*", help="only these", choices=[c.name for c in CLIPS])
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in CLIPS:
            if arguments.clips and clip.name not in arguments.clips:
                continue
            for frames_per_chunk in (16, 10):
                result = run_clip(clip, Path(folder), frames_per_chunk, arguments.rounds)
                results.append(result)
                print(result["clip"], frames_per_chunk, result["frames_per_cpu_second"], flush=True)
    report = {
        "machine": {"processor": platform.machine(), "cores": _cores()},
        "unit": "rounds: frames, CPU seconds, wall seconds",
        "results": results,
    }
    arguments.output.write_text(json.dumps(report, indent=1) + "\n")


def _cores() -> list[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.split(":")[1].strip() for line in lines if line.startswith("model name")]


if __name__ == "__main__":
    main()
