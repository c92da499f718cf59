# SPDX-License-Identifier: Apache-2.0
"""One tower in a process of its own, whose memory is measured; prints JSON.

Started by benchmarks.cpu_engines. It uses the server's own code.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.record import ROOT
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.models.siglip_vision import load_vision_tower
from trireel_backend.towers.runtimes import TOWER_RUNTIMES
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower

MODELS = ROOT / "model_repository"
PICTURES = 32
"""Number of the export's known pictures that are used: whole batches of every size."""
LEAST_SECONDS = 1.0
"""Least time that is measured: a small tower goes through the pictures several times."""
IDLE_SECONDS = 2.0


def pictures(export: Path) -> NDArray[np.uint8]:
    """Return the first of the export's known pictures [N, S, S, 3]."""
    with np.load(export / "gate.npz") as known:
        return known["frames"][:PICTURES]


def batches(tower: Tower, frames: NDArray[np.uint8], size: int, keep: Path) -> dict[str, float]:
    """Time the tower on batches of one size; write the embeddings into the file `keep`."""
    tower.run(frames[:size])  # the first batch of a size takes longer
    count, embeddings = 0, []
    began, cpu_began = time.monotonic(), time.process_time()
    while not count or time.monotonic() < began + LEAST_SECONDS:
        embeddings = [tower.run(frames[i : i + size]) for i in range(0, len(frames), size)]
        count += len(frames)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
    np.save(keep, np.concatenate(embeddings))
    return {
        "frames_per_second": round(count / seconds, 3),
        "cpu_ms_per_frame": round(cpu_seconds / count * 1e3, 3),
    }


def slices(
    tower: Tower, frames: NDArray[np.uint8], rows: int, rows_at_once: int
) -> dict[str, float]:
    """Time one batch of `rows`, which the tower runs in slices."""
    batch = np.resize(frames, (rows, *frames.shape[1:]))
    tower.run(batch[:rows_at_once])
    began = time.monotonic()
    tower.run(batch)
    return {"frames_per_second": round(rows / (time.monotonic() - began), 3)}


def start(export: Path, settings: TowerSettings) -> dict[str, float]:
    """Load the tower as the server does, with its gate; then measure it while it is idle."""
    with tempfile.TemporaryDirectory() as name:
        repository = Path(name) / "models"
        assemble(Assembly(MODELS, export, "embedded"), repository)
        folder = repository / "siglip_vision/1"
        began = time.monotonic()
        Tower(folder / "model.onnx", settings)
        loaded = time.monotonic()
        tower = load_vision_tower(folder, settings)
        ready = time.monotonic()
    tower.run(pictures(export))
    time.sleep(IDLE_SECONDS / 2)
    cpu_began = time.process_time()
    time.sleep(IDLE_SECONDS)
    return {
        "load_seconds": round(loaded - began, 3),
        "load_and_gate_seconds": round(ready - loaded, 3),
        "idle_cpu_share": round((time.process_time() - cpu_began) / IDLE_SECONDS, 5),
    }


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("batches", "slices", "start"))
    parser.add_argument("--export", type=Path, required=True)
    parser.add_argument("--engine", choices=TOWER_RUNTIMES, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rows-at-once", type=int, default=TowerSettings.rows_at_once)
    parser.add_argument("--keep", type=Path, help="file for the embeddings of `batches`")
    return parser


def main() -> None:
    """Measure one part and print it as JSON."""
    arguments = create_parser().parse_args()
    settings = TowerSettings(
        arguments.threads,
        "CPUExecutionProvider",
        tower_engine=arguments.engine,
        rows_at_once=arguments.rows_at_once,
    )
    if arguments.part == "start":
        found = start(arguments.export, settings)
    else:
        tower = Tower(arguments.export / "vision.onnx", settings)
        frames = pictures(arguments.export)
        if arguments.part == "batches":
            found = batches(tower, frames, arguments.batch, arguments.keep)
        else:
            found = slices(tower, frames, arguments.batch, arguments.rows_at_once)
    print(json.dumps({**found, "peak_rss_bytes": peak_rss_bytes()}))


def peak_rss_bytes() -> int:
    """Return the peak memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")


if __name__ == "__main__":
    main()
