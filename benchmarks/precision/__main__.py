# SPDX-License-Identifier: Apache-2.0
"""Export checkpoints in every precision through the gate, and time the forms of the graph.

Run: python -m benchmarks.precision --output benchmarks/precision/results.json
(needs the environment of scripts/test, 16 GiB of memory and about half an hour). Times of the
forms are CPU time per frame in onnxruntime, batches of 16, taken in turn.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.machine import describe
from benchmarks.common.session import session
from benchmarks.precision.checkpoints import SIZES, make_checkpoint
from trireel_export.errors import VerificationFailed
from trireel_export.export import export
from trireel_export.siglip.checkpoint import load_checkpoint
from trireel_export.siglip.vision import write_vision
from trireel_schema.precision import Precision

TINY = Path(__file__).parents[2] / "export/tiny/checkpoint"
FORMS = {"products and a softmax, opset 20": 20, "one operator, opset 23": 23}
BATCH = 16
ROUNDS = 7
THREADS = 2


@dataclass(frozen=True)
class Gate:
    """One export through its gate."""

    checkpoint: str
    precision: str
    seconds: float
    vision_bytes: int
    worst_cosine: float | None
    """Of any picture in any batch to the checkpoint in fp32; None where the gate refused."""
    worst_picture: str
    order_of_texts: str


@dataclass(frozen=True)
class Form:
    """How one form of attention runs."""

    checkpoint: str
    form: str
    cpu_ms_per_frame: list[float]
    """Of every round."""


def gate(checkpoint: Path, precision: Precision, folder: Path) -> Gate:
    """Export a checkpoint in a precision; a refusal is a result too."""
    began = time.monotonic()
    output = folder / f"{checkpoint.name}-{precision}"
    try:
        report = export(str(checkpoint), output, precision=precision)
    except VerificationFailed as refusal:
        seconds = time.monotonic() - began
        return Gate(checkpoint.name, precision, seconds, 0, None, str(refusal), "refused")
    worst = min(
        (check for check in report.checks if check.subject.startswith("pictures")),
        key=lambda check: check.cosine,
    )
    size = sum(n for name, n in report.file_bytes.items() if name.startswith("vision.onnx"))
    return Gate(
        checkpoint.name, precision, round(time.monotonic() - began, 1), size, worst.cosine,
        worst.worst_item, report.checks[-1].subject,
    )  # fmt: skip


def forms(source: Path, folder: Path) -> Iterator[Form]:
    """Time the tower with attention written out and as one operator, in turn."""
    checkpoint = load_checkpoint(str(source))
    side = checkpoint.image_size_px
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    sessions = {}
    for name, opset in FORMS.items():
        path = folder / f"{opset}.onnx"
        write_vision(checkpoint, path, Precision.FP32, opset=opset)
        sessions[name] = session(path, THREADS)
        sessions[name].run(None, {"FRAMES": frames})
    times: dict[str, list[float]] = {name: [] for name in FORMS}
    for _ in range(ROUNDS):
        for name, one in sessions.items():
            began = time.process_time()
            one.run(None, {"FRAMES": frames})
            times[name].append(round((time.process_time() - began) / BATCH * 1e3, 3))
    for name, values in times.items():
        yield Form(source.name, name, values)
        print(source.name, name, statistics.median(values), "ms a frame", flush=True)


def main() -> None:
    """Measure all and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sizes", nargs="*", default=SIZES, choices=SIZES)
    arguments = parser.parse_args()
    gates, timed = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkpoints = [TINY, *(make_checkpoint(size, folder) for size in arguments.sizes)]
        for checkpoint in checkpoints:
            for precision in Precision:
                gates.append(gate(checkpoint, precision, folder))
                print(gates[-1], flush=True)
            if not checkpoint.name.startswith("random-so400m"):
                timed += forms(checkpoint, folder)
    report = {
        "machine": describe(),
        "gates": [asdict(result) for result in gates],
        "forms": [asdict(result) for result in timed],
    }
    arguments.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
