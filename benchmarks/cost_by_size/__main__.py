# SPDX-License-Identifier: Apache-2.0
"""How time and memory grow with length, resolution, frames, tags and live sequences.

Run: python -m benchmarks.cost_by_size --output benchmarks/cost_by_size/results.json
(needs the environment of scripts/test). Each axis takes two to four minutes, and as much again for
its videos on first use; an axis that is not asked for keeps what it had in the file. Memory is the
proportional set size (PSS) of all the server's processes, the launcher among them.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.common.machine import describe
from benchmarks.cost_by_size import steps, videos
from benchmarks.cost_by_size.points import Point, median
from trireel_backend.launch.signals import unwind_on_signals

AXES: Mapping[str, Callable[[Path], Iterator[Point]]] = {
    "length": videos.lengths,
    "resolution": videos.resolutions,
    "frames": videos.frames,
    "tags": steps.tags,
    "sequences": steps.sequences,
}


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(AXES), choices=AXES)
    parser.add_argument(
        "--cache", type=Path, help="folder that keeps the videos, by default a temporary one"
    )
    return parser


def measure(axis: str, folder: Path) -> dict[str, object]:
    """Measure an axis, and say how it goes."""
    points = []
    for point in AXES[axis](folder):
        points.append(asdict(point))
        took = f"{median(point.seconds) * 1e3:.3f} ms, {point.pss_mib:.0f} MiB"
        print(f"{axis}, {point.series}, {point.label}: {took}", flush=True)
    return {"machine": describe(), "points": points}


def main() -> None:
    """Measure the axes that are asked for and write the results."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    report = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for axis in arguments.only:
            report[axis] = measure(axis, folder.resolve())
            arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
