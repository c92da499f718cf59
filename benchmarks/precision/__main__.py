# SPDX-License-Identifier: Apache-2.0
"""Export checkpoints in every precision through the gate, and time the forms of the graph.

Times of the forms are CPU time per frame in onnxruntime, in batches of 16; the forms take turns.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.common.towers import PUBLISHED, TINY_CHECKPOINT, make_checkpoint, session
from benchmarks.precision.benchmark import BENCHMARK
from trireel_export.errors import VerificationFailed
from trireel_export.export import export
from trireel_export.siglip.checkpoint import load_checkpoint
from trireel_export.siglip.vision import write_vision
from trireel_schema.precision import Precision

FORMS = {"products and a softmax, opset 20": 20, "one operator, opset 23": 23}
BATCH = 16
ROUNDS = 7
THREADS = 2
Found = dict[str, Any]


def gate(checkpoint: Path, precision: Precision, folder: Path) -> Found:
    """Export a checkpoint in a precision; a rejection by the gate is a result too.

    The worst cosine is that of any picture in any batch to the checkpoint in fp32; None if the gate
    rejected the export.
    """
    began = time.monotonic()
    found: Found = {"checkpoint": checkpoint.name, "precision": precision}
    try:
        output = folder / f"{checkpoint.name}-{precision}"
        report = export(str(checkpoint), output, precision=precision)
    except VerificationFailed as rejection:
        found |= {"worst_cosine": None, "worst_picture": str(rejection), "vision_bytes": 0}
        return found | {"seconds": time.monotonic() - began, "order_of_texts": "refused"}
    pictures = (check for check in report.checks if check.subject.startswith("pictures"))
    worst = min(pictures, key=lambda check: check.cosine)
    sizes = (size for name, size in report.file_bytes.items() if name.startswith("vision.onnx"))
    return found | {
        "seconds": round(time.monotonic() - began, 1),
        "vision_bytes": sum(sizes),
        "worst_cosine": worst.cosine,
        "worst_picture": worst.worst_item,
        "order_of_texts": report.checks[-1].subject,
    }


def forms(source: Path, folder: Path) -> Iterator[Found]:
    """Yield the times of attention as products and as one operator, which take turns."""
    checkpoint = load_checkpoint(str(source))
    side = checkpoint.image_size_px
    frames = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    sessions = {}
    for name, opset in FORMS.items():
        path = folder / f"{opset}.onnx"
        write_vision(checkpoint, path, Precision.FP32, opset=opset)
        sessions[name] = session(path, THREADS)
        sessions[name].run(None, {"FRAMES": frames})
    times: dict[str, list[float]] = {name: [] for name in FORMS}
    for _ in range(ROUNDS):
        for name, tower in sessions.items():
            began = time.process_time()
            tower.run(None, {"FRAMES": frames})
            times[name].append(round((time.process_time() - began) / BATCH * 1e3, 3))
    for name, values in times.items():
        print(source.name, name, statistics.median(values), "ms a frame", flush=True)
        yield {"checkpoint": source.name, "form": name, "cpu_ms_per_frame": values}


def main() -> None:
    """Measure all and write the results."""
    parser = BENCHMARK.parser()
    parser.add_argument("--sizes", nargs="*", default=PUBLISHED, choices=PUBLISHED)
    arguments = parser.parse_args()
    gates: list[Found] = []
    timed: list[Found] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = (make_checkpoint(size, folder) for size in arguments.sizes)
        for checkpoint in (TINY_CHECKPOINT, *made):
            for precision in Precision:
                gates.append(gate(checkpoint, precision, folder))
                print(gates[-1], flush=True)
            if not checkpoint.name.startswith("random-so400m"):
                timed += forms(checkpoint, folder)
            report = {"machine": describe(), "gates": gates, "forms": timed}
            write_raw(arguments.output, report)


if __name__ == "__main__":
    main()
