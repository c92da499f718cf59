# SPDX-License-Identifier: Apache-2.0
"""Fill an index with made-up videos, and search it: by comparing all frames, and by its index.

Recall is the share of the 20 nearest frames, told by NumPy, that a search returns. Times are those
of one search after another in one process: wall, and CPU of all threads.
"""

import json
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


def made_up(world: World) -> tuple[NDArray[np.float32], list[Key]]:
    """Return the frames of all videos in order, and their keys."""
    parts, keys = [], []
    for record in world.records():
        parts.append(record.frames.embeddings)
        keys += [(record.video_id, index) for index in range(len(record.frames.pts))]
    return np.concatenate(parts), keys


def fill(store: MomentStore, world: World) -> Found:
    """Add all videos; return the times."""
    seconds, cpu_seconds = 0.0, 0.0
    for number, record in enumerate(world.records(), 1):
        rows = rows_of(record, entry_of(record, {}), number)
        wall, cpu = timed(lambda rows=rows: store.add(rows))
        seconds, cpu_seconds = seconds + wall, cpu_seconds + cpu
    return {
        "videos": world.videos,
        "frames": world.frames,
        "width": world.width,
        "add_seconds": seconds,
        "add_cpu_seconds": cpu_seconds,
    }


class Run:
    """One run, whose raw numbers are written after every step."""

    def __init__(self, folder: Path, world: World, output: Path) -> None:
        """Open the tables, and draw the frames and the queries."""
        self._folder, self._world, self._output = folder, world, output
        self._store = MomentStore(str(folder), world.width)
        self._frames, keys = made_up(world)
        self._queries = queries(self._frames, QUERIES)
        self._nearest = [
            {keys[index] for index in np.argpartition(-(self._frames @ query), K)[:K]}
            for query in self._queries
        ]
        self._some = tuple(dict.fromkeys(key[0] for key in keys[:: len(keys) // 3]))[:3]
        self._report: Found = {}

    def make(self) -> None:
        """Fill the tables, search without an index, and make it; not if a folder has all that."""
        store, frames = self._store, self._frames
        if store.has_vector_index() and store.num_frames() == self._world.frames:
            self._report = json.loads(self._output.read_text())
            self._report["searches"] = self._report["searches"][:2]
            return
        self._report = {"added": fill(store, self._world), "searches": []}
        self._step("NumPy, all frames", SLOW_QUERIES, lambda query: _scan(frames, query), False)
        self._step("all frames", SLOW_QUERIES, self._nearest_keys)
        wall, cpu = timed(store.maintain)
        self._report["index"] = {"seconds": wall, "cpu_seconds": cpu, "bytes": _bytes(self._folder)}

    def search(self) -> None:
        """Search with the index."""
        store, some = self._store, Where(videos=self._some)
        self._report["machine"] = describe(PACKAGES)
        self._step("index", QUERIES, self._nearest_keys)
        self._step("3 videos", QUERIES, lambda query: _nothing(store.search(query, some, K)), False)
        self._step(
            "moments",
            QUERIES,
            lambda query: _nothing(search(store, Query("", query, CALIBRATION), 10)),
            False,
        )

    def _nearest_keys(self, query: NDArray[np.float32]) -> list[Key]:
        return keys_of(self._store.search(query, Where(), K))

    def _step(self, name: str, count: int, call: Any, known: bool = True) -> None:
        nearest = self._nearest[:count] if known else ()
        found = searched(name, self._queries[:count], call, nearest)
        self._report["searches"].append(found)
        write_raw(self._output, self._report)


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
    parser.add_argument(
        "--folder", type=Path, help="keeps the tables; a run goes on with those that are there"
    )
    arguments = parser.parse_args()
    world = World(arguments.videos, arguments.runs, arguments.width)
    with tempfile.TemporaryDirectory() as temporary:
        run = Run(arguments.folder or Path(temporary), world, arguments.output)
        run.make()
        run.search()


if __name__ == "__main__":
    main()
