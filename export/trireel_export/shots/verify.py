# SPDX-License-Identifier: Apache-2.0
"""Compares an exported TransNetV2 with the package's own code, alone and in batches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from trireel_export.errors import InvalidGraph, ProbabilitiesDiffer
from trireel_export.siglip.graph import check_graph
from trireel_schema.errors import TowerDiffers
from trireel_schema.shots import GRAPH_FILE, WINDOWS_FILE
from trireel_schema.windows import (
    MOST_DIFFERENCE_FP32,
    KnownWindows,
    check_windows,
    read_known_windows,
)

BATCH_SIZES = (1, 5)
"""Sizes of the batches in which the known windows are judged; the last one holds all of them."""
MOST_BETWEEN_BATCHES = 1e-6
"""Largest difference of a probability between batches of two sizes."""


@dataclass(frozen=True)
class BatchCheck:
    """How closely batches of one size follow the package's own code."""

    batch_size: int
    difference: float
    """Largest difference of a probability to the package's."""
    between_batches: float
    """Largest difference to the same windows in batches of one."""


def check_folder(folder: Path) -> list[BatchCheck]:
    """Compare the graph in a folder with the known windows beside it.

    Raises:
        InvalidGraph: if the ONNX checker or onnxruntime rejects the graph.
        ProbabilitiesDiffer: if a probability differs by more than MOST_DIFFERENCE_FP32, or by more
            than MOST_BETWEEN_BATCHES between batches.
    """
    check_graph(folder / GRAPH_FILE)
    known = read_known_windows(folder / WINDOWS_FILE)
    try:
        session = ort.InferenceSession(folder / GRAPH_FILE, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a family of types without a base
        raise InvalidGraph(f"onnxruntime does not load {GRAPH_FILE}: {error}") from error
    checks: list[BatchCheck] = []
    alone: KnownWindows | None = None
    for size in BATCH_SIZES:
        single, many = _judge(session, known.frames, size)
        alone = alone or KnownWindows(known.names, known.frames, single, many)
        try:
            difference = check_windows(known, single, many, MOST_DIFFERENCE_FP32)
            apart = check_windows(alone, single, many, MOST_BETWEEN_BATCHES, "a batch of one")
        except TowerDiffers as error:
            raise ProbabilitiesDiffer(f"in batches of {size}: {error}") from error
        checks.append(BatchCheck(size, difference, apart))
    return checks


def _judge(
    session: ort.InferenceSession, frames: NDArray[np.uint8], size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    starts = range(0, len(frames), size)
    answers = [session.run(["SINGLE", "MANY"], {"FRAMES": frames[at : at + size]}) for at in starts]
    single, many = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    return single, many
