# SPDX-License-Identifier: Apache-2.0
"""Time and memory by length, resolution, frames, tags and live sequences.

Memory is the proportional set size (PSS) of all the server's processes, the launcher among them.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.cost_by_size import steps, videos
from benchmarks.cost_by_size.benchmark import BENCHMARK
from benchmarks.cost_by_size.points import Point, median
from trireel_backend.launch.signals import unwind_on_signals

AXES: Mapping[str, Callable[[Path], Iterator[Point]]] = {
    "length": videos.lengths,
    "resolution": videos.resolutions,
    "frames": videos.frames,
    "tags": steps.tags,
    "sequences": steps.sequences,
}


def measure(axis: str, folder: Path) -> dict[str, object]:
    """Measure an axis, and print its points."""
    points = []
    for point in AXES[axis](folder):
        points.append(asdict(point))
        cost = f"{median(point.seconds) * 1e3:.3f} ms, {point.pss_mib:.0f} MiB"
        print(f"{axis}, {point.series}, {point.label}: {cost}", flush=True)
    return {"machine": describe(), "points": points}


def main() -> None:
    """Measure axes and write the results; the file keeps the other axes that it has."""
    parser = BENCHMARK.parser()
    parser.add_argument("--only", nargs="*", default=list(AXES), choices=AXES)
    parser.add_argument("--cache", type=Path, help="folder that keeps the videos")
    arguments = parser.parse_args()
    unwind_on_signals()
    report = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for axis in arguments.only:
            report[axis] = measure(axis, folder.resolve())
            write_raw(arguments.output, report)


if __name__ == "__main__":
    main()
