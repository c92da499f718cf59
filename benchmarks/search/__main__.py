# SPDX-License-Identifier: Apache-2.0
"""Fill an index with made-up videos, and search it: by comparing all frames, and by its index.

Recall is the share of the 20 nearest frames, told by NumPy, that a search returns. Times are those
of one search after another in one process: wall, and CPU of all threads.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.search.benchmark import BENCHMARK
from benchmarks.search.frames import QUERY_COSINES, World, queries
from trireel_app.index.rows import FrameRows, rows_of
from trireel_app.index.search import Query, search
from trireel_app.index.store import MomentStore
from trireel_app.index.where import Where
from trireel_app.library.manifest import entry_of
from trireel_schema.vectors import Calibration

K = 20
QUERIES = 150
SLOW_QUERIES = 12  # of a search that compares all frames
CALIBRATION = Calibration(112.0, -16.0)  # about that of the published checkpoints
PACKAGES = ("lancedb", "pylance", "pyarrow", "numpy")
Found = dict[str, Any]
Key = tuple[str, int]


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def searched(
    name: str,
    asked: NDArray[np.float32],
    call: Callable[[NDArray[np.float32]], Sequence[Key] | None],
    nearest: Sequence[set[Key]] = (),
) -> Found:
    """Return times of searches, and their recall if the nearest frames are known."""
    call(asked[0])  # opens files
    walls, cpus, recalls = [], [], []
    for number, query in enumerate(asked):
        wall, cpu = time.perf_counter(), time.process_time()
        keys = call(query)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        if nearest and keys is not None:
            recalls.append(len(nearest[number] & set(keys)) / K)
    found: Found = {
        "search": name,
        "queries": len(asked),
        "p50_ms": statistics.median(walls) * 1e3,
        "p95_ms": statistics.quantiles(walls, n=20)[-1] * 1e3,
        "cpu_p50_ms": statistics.median(cpus) * 1e3,
    }
    if recalls:
        found["recall"] = statistics.mean(recalls)
        found["recall_by_cosine"] = {
            str(cosine): statistics.mean(recalls[index :: len(QUERY_COSINES)])
            for index, cosine in enumerate(QUERY_COSINES)
        }
    print(found, flush=True)
    return found


def keys_of(rows: FrameRows) -> list[Key]:
    """Return video and frame of each row."""
    ids = (key.video_id for key in rows.scenes)
    return list(zip(ids, rows.frame_indices.tolist(), strict=True))


def filled(store: MomentStore, world: World) -> tuple[Found, NDArray[np.float32], list[Key]]:
    """Add all videos; return the times, and the frames in order with their keys."""
    parts, keys, seconds, cpu_seconds = [], [], 0.0, 0.0
    for number, record in enumerate(world.records(), 1):
        rows = rows_of(record, entry_of(record, {}), number)
        wall, cpu = timed(lambda rows=rows: store.add(rows))
        seconds, cpu_seconds = seconds + wall, cpu_seconds + cpu
        parts.append(record.frames.embeddings)
        keys += [(record.video_id, index) for index in range(len(record.frames.pts))]
    found = {"videos": world.videos, "frames": world.frames, "width": world.width}
    found |= {"add_seconds": seconds, "add_cpu_seconds": cpu_seconds}
    print(found, flush=True)
    return found, np.concatenate(parts), keys


def measure(folder: Path, world: World, output: Path) -> None:
    """Measure all, and write the raw numbers after every step."""
    store = MomentStore(str(folder), world.width)
    added, frames, keys = filled(store, world)
    asked = queries(frames, QUERIES)
    nearest = [
        {keys[index] for index in np.argpartition(-(frames @ query), K)[:K]} for query in asked
    ]
    some = Where(videos=tuple(dict.fromkeys(key[0] for key in keys[:: len(keys) // 3]))[:3])
    report: Found = {"machine": describe(PACKAGES), "added": added, "searches": []}

    def step(name: str, count: int, call: Any, known: bool = True) -> None:
        found = searched(name, asked[:count], call, nearest[:count] if known else ())
        report["searches"].append(found)
        write_raw(output, report)

    step("NumPy, all frames", SLOW_QUERIES, lambda query: _scan(frames, query), known=False)
    step("all frames", SLOW_QUERIES, lambda query: keys_of(store.search(query, Where(), K)))
    wall, cpu = timed(store.maintain)
    report["index"] = {"seconds": wall, "cpu_seconds": cpu, "bytes": _bytes(folder)}
    print(report["index"], flush=True)
    step("index", QUERIES, lambda query: keys_of(store.search(query, Where(), K)))
    step("3 videos", QUERIES, lambda query: _nothing(store.search(query, some, K)), known=False)
    step(
        "moments",
        QUERIES,
        lambda query: _nothing(search(store, Query("", query, CALIBRATION), 10)),
        known=False,
    )


def _scan(frames: NDArray[np.float32], query: NDArray[np.float32]) -> None:
    np.argpartition(-(frames @ query), K)


def _nothing(_: object) -> None:
    return None


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Measure, and write the raw numbers."""
    parser = BENCHMARK.parser()
    parser.add_argument("--videos", type=int, default=100)
    parser.add_argument("--runs", type=int, default=125, help="runs of 16 frames in each video")
    parser.add_argument("--width", type=int, default=768)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(arguments.videos, arguments.runs, arguments.width)
        measure(Path(folder), world, arguments.output)


if __name__ == "__main__":
    main()
