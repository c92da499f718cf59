# SPDX-License-Identifier: Apache-2.0
"""What a second decoder thread costs and brings, beside a second video on the other core.

Run: python -m benchmarks.extraction.threads --cache /tmp/clips
(needs the environment of scripts/test). Every kind decodes the same clips from their start to their
end; kinds take turns, and medians are kept. Writes threads.json; the table shows it.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import av

from benchmarks.common.machine import describe
from benchmarks.extraction.clips import CLIPS, make_clip

OUTPUT = Path(__file__).parent / "threads.json"
KINDS = (("SLICE", 1), ("SLICE", 2), ("FRAME", 2))
NAMES = ("h264 384x384 gop 60 b 3", "h264 1080p gop 60 b 3", "hevc 1080p gop 60 b 3",
         "vp9 1080p gop 60 alt-ref 1")  # fmt: skip
ROUNDS = 5


def decode(path: Path, kind: str, threads: int) -> tuple[float, float]:
    """Decode a clip; return the CPU and the wall seconds it took."""
    cpu, wall = time.process_time(), time.monotonic()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = kind, threads
        for _ in container.decode(stream):
            pass
    return time.process_time() - cpu, time.monotonic() - wall


def main() -> None:
    """Measure all clips and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="folder that keeps the clips for the next time")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        for clip in (clip for clip in CLIPS if clip.name in NAMES):
            path = make_clip(clip, folder)
            rounds = {kind: [] for kind in KINDS}
            for _ in range(ROUNDS):
                for kind in KINDS:
                    rounds[kind].append(decode(path, *kind))
            for (kind, threads), taken in rounds.items():
                cpu, wall = (
                    round(statistics.median(values), 3) for values in zip(*taken, strict=True)
                )
                result = {"clip": clip.name, "kind": kind, "threads": threads}
                result |= {"cpu_seconds": cpu, "wall_seconds": wall, "rounds": taken}
                results.append(result)
                print(clip.name, kind, threads, cpu, wall, flush=True)
    report = {"machine": describe(), "results": results}
    OUTPUT.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
