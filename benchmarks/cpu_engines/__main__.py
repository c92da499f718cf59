# SPDX-License-Identifier: Apache-2.0
"""The vision tower in every engine that a CPU has, by batch size and threads.

Run: python -m benchmarks.cpu_engines --output benchmarks/cpu_engines/tiny.json
     python -m benchmarks.cpu_engines --export EXPORT --output benchmarks/cpu_engines/base.json
     python -m benchmarks.cpu_engines.table
(needs the environment of scripts/test). EXPORT is one of trireel-export of a larger checkpoint.
A run adds a round to what the file has of the same export, and its machine and commit, so that a
long measurement can be taken in pieces (--parts, --threads); the engines take turns, each in a
process of its own, and the table takes medians.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.machine import describe
from benchmarks.common.versions import versions
from benchmarks.cpu_engines.table import machines
from benchmarks.cpu_engines.worker import PICTURES
from trireel_backend.artifacts import load_metadata
from trireel_schema.files import METADATA_FILE

ROOT = Path(__file__).parents[2]
TINY = ROOT / "export/tiny/model"
BATCHES = (1, 4, 16, 32)
THREADS = (1, 2)
LARGEST_BATCH = 128
ROWS_AT_ONCE = (4, 16, 32, LARGEST_BATCH)
PARTS = ("batches", "slices", "start")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Variant:
    """An engine, on this CPU or on what another one would have of its instructions."""

    name: str
    engine: str
    batches: tuple[int, ...] = BATCHES
    environment: dict[str, str] = field(default_factory=dict)


VARIANTS = (
    Variant("onnxruntime", "onnxruntime"),
    Variant("openvino", "openvino"),
    Variant("openvino-bf16", "openvino-bf16"),
    Variant(
        "openvino-bf16, AVX-512 without AMX",
        "openvino-bf16",
        (1, 16),
        {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"},
    ),
)


def work(export: Path, part: str, variant: Variant, threads: int, *options: str) -> dict[str, Any]:
    """Let a process measure one part; return what it printed."""
    command = [
        *(sys.executable, "-m", "benchmarks.cpu_engines.worker", part, "--export", str(export)),
        *("--engine", variant.engine, "--threads", str(threads), *options),
    ]
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", **variant.environment}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found = {"variant": variant.name, "threads": threads, **json.loads(done.stdout)}
    print(part, found, *options, flush=True)
    return found


def batches(export: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Yield every engine's rates and embeddings at every batch size."""
    with np.load(export / "gate.npz") as known:
        reference = known["embeddings"][:PICTURES]
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder) / "embeddings.npy"
        alone = {}
        for batch in BATCHES:
            for variant in (one for one in VARIANTS if batch in one.batches):
                options = ("--batch", str(batch), "--keep", str(keep))
                found = work(export, "batches", variant, threads, *options)
                embeddings = np.load(keep)
                beside = alone.setdefault(variant.name, embeddings)
                yield {
                    **found,
                    "batch": batch,
                    "worst_cosine": float((embeddings * reference).sum(axis=1).min()),
                    # No cosine to a text of unit length can differ by more.
                    "apart_from_alone": float(np.linalg.norm(embeddings - beside, axis=1).max()),
                }


def slices(export: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Yield what a batch of 128 takes where so many rows are run at once."""
    for rows in ROWS_AT_ONCE:
        options = ("--batch", str(LARGEST_BATCH), "--rows-at-once", str(rows))
        for variant in (VARIANTS[0], VARIANTS[2]):
            yield {
                **work(export, "slices", variant, threads, *options),
                "rows_at_once": rows,
            }


def start(export: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Yield what loading the tower takes, and what it does when there is nothing to do."""
    for variant in VARIANTS[:3]:
        yield work(export, "start", variant, threads, "--rows-at-once", "16")


MEASURES = {"batches": batches, "slices": slices, "start": start}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--export", type=Path, default=TINY)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--threads", nargs="*", type=int, default=THREADS)
    return parser


def main() -> None:
    """Measure, and write the results anew after each part."""
    parser = create_parser()
    arguments = parser.parse_args()
    metadata = load_metadata(arguments.export / METADATA_FILE)
    export = {
        "checkpoint": metadata.checkpoint,
        "image_size_px": metadata.image_size_px,
        "weights_sha256": metadata.weights_sha256,
    }
    report: dict[str, Any] = {"export": export, "parts": {part: [] for part in PARTS}}
    if arguments.output.exists():
        report = json.loads(arguments.output.read_text())
        if report["export"] != export:
            parser.error(f"{arguments.output} is of {report['export']}, not of {export}")
    machine = describe() | {"packages": versions(("onnxruntime", "openvino", "numpy"))}
    report = report | {"machines": [*machines(report), machine]}
    report.pop("machine", None)
    for part in arguments.parts:
        # Slices and starts do not turn on the threads: the last of them is what a server has.
        for threads in arguments.threads if part == "batches" else arguments.threads[-1:]:
            report["parts"][part] += MEASURES[part](arguments.export, threads)
            arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
