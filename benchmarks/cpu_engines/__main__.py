# SPDX-License-Identifier: Apache-2.0
"""The vision tower in every runtime for a CPU, by batch size and threads.

A run adds a round to a file of the same export, with its machine and commit, so that a long
measurement can be taken in pieces (--parts, --threads). The runtimes take turns, each in a process
of its own.
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
from benchmarks.common.record import ROOT, write_raw
from benchmarks.common.server import CPU_ENVIRONMENT, EXPORT
from benchmarks.cpu_engines.benchmark import BENCHMARK
from benchmarks.cpu_engines.table import machines
from benchmarks.cpu_engines.worker import PICTURES
from trireel_backend.artifacts import load_metadata
from trireel_schema.files import METADATA_FILE

BATCHES = (1, 4, 16, 32)
THREADS = (1, 2)
LARGEST_BATCH = 128
ROWS_AT_ONCE = (4, 16, 32, LARGEST_BATCH)
Found = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A runtime, with all instructions of this CPU or with fewer."""

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


def work(export: Path, part: str, variant: Variant, threads: int, *options: str) -> Found:
    """Measure one part in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.cpu_engines.worker", part, "--export", str(export)]
    command += ["--engine", variant.engine, "--threads", str(threads), *options]
    environment = {**os.environ, **CPU_ENVIRONMENT, **variant.environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found = {"variant": variant.name, "threads": threads, **json.loads(done.stdout)}
    print(part, found, *options, flush=True)
    return found


def batches(export: Path, threads: int) -> Iterator[Found]:
    """Yield rates and accuracy of every runtime at every batch size."""
    with np.load(export / "gate.npz") as known:
        reference = known["embeddings"][:PICTURES]
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder) / "embeddings.npy"
        alone: dict[str, Any] = {}
        for batch in BATCHES:
            for variant in (variant for variant in VARIANTS if batch in variant.batches):
                options = ("--batch", str(batch), "--keep", str(keep))
                found = work(export, "batches", variant, threads, *options)
                embeddings = np.load(keep)
                beside = alone.setdefault(variant.name, embeddings)
                yield found | {
                    "batch": batch,
                    "worst_cosine": float((embeddings * reference).sum(axis=1).min()),
                    # The cosine to any text of unit length differs by at most this.
                    "apart_from_alone": float(np.linalg.norm(embeddings - beside, axis=1).max()),
                }


def slices(export: Path, threads: int) -> Iterator[Found]:
    """Yield rate and memory of a batch of 128, by the number of rows that run at once."""
    for rows in ROWS_AT_ONCE:
        options = ("--batch", str(LARGEST_BATCH), "--rows-at-once", str(rows))
        for variant in (VARIANTS[0], VARIANTS[2]):
            yield work(export, "slices", variant, threads, *options) | {"rows_at_once": rows}


def start(export: Path, threads: int) -> Iterator[Found]:
    """Yield the time to load the tower, and its CPU time while idle."""
    for variant in VARIANTS[:3]:
        yield work(export, "start", variant, threads, "--rows-at-once", "16")


PARTS = {"batches": batches, "slices": slices, "start": start}


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = BENCHMARK.parser()
    default = BENCHMARK.folder / BENCHMARK.raw[0]
    parser.add_argument("--output", type=Path, default=default, help="a round is added to it")
    parser.add_argument("--export", type=Path, default=EXPORT)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--threads", nargs="*", type=int, default=THREADS)
    return parser


def main() -> None:
    """Measure, and write the results after each part."""
    parser = create_parser()
    arguments = parser.parse_args()
    metadata = load_metadata(arguments.export / METADATA_FILE)
    names = ("checkpoint", "image_size_px", "weights_sha256")
    export = {name: getattr(metadata, name) for name in names}
    report: Found = {"export": export, "parts": {part: [] for part in PARTS}}
    if arguments.output.exists():
        report = json.loads(arguments.output.read_text())
        if report["export"] != export:
            parser.error(f"{arguments.output} is of {report['export']}, not of {export}")
    machine = describe(("onnxruntime", "openvino", "numpy"))
    report["machines"] = [*machines(report), machine]
    report.pop("machine", None)
    for part in arguments.parts:
        # Slices and starts do not depend on the threads: the last number is that of a server.
        for threads in arguments.threads if part == "batches" else arguments.threads[-1:]:
            report["parts"][part] += PARTS[part](arguments.export, threads)
            write_raw(arguments.output, report)


if __name__ == "__main__":
    main()
