# SPDX-License-Identifier: Apache-2.0
"""Compares an exported detector with its checkpoint, alone and in batches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_export.checks.pictures import verification_pictures
from trireel_export.detector.checkpoint import DetectorCheckpoint
from trireel_export.detector.graph import DetectorSession
from trireel_export.errors import DetectionsDiffer
from trireel_export.siglip.graph import check_graph
from trireel_schema.detections import (
    FP32_BOUNDS,
    REDUCED_BOUNDS,
    Bounds,
    Detections,
    KnownDetections,
    check_detections,
)
from trireel_schema.errors import DetectorDiffers
from trireel_schema.precision import Precision

BATCH_SIZES = (1, 5)
"""Sizes of the batches in which the pictures are given to the graph."""
BETWEEN_BATCHES = Bounds(overlap=0.999, score=1e-4)
"""For the same picture in batches of two sizes."""
KEPT_PHOTOS, KEPT_DRAWINGS = 6, 6
"""Pictures that are kept for the server, which makes the same comparison."""


@dataclass(frozen=True)
class BatchCheck:
    """How closely batches of one size follow the checkpoint."""

    batch_size: int
    compared: int
    """Number of detections that were compared."""
    overlap: float
    """Smallest IoU of a box with the checkpoint's own."""
    score: float
    """Largest difference of a score to the checkpoint's own."""


def known_detections(
    checkpoint: DetectorCheckpoint, num_boxes: int, threshold: float
) -> KnownDetections:
    """Return what the checkpoint itself finds in the pictures of every export's checks."""
    size = (checkpoint.preparation.width_px, checkpoint.preparation.height_px)
    pictures = verification_pictures()
    frames = np.stack(
        [
            np.asarray(picture.resize(size, Image.Resampling.BILINEAR), np.uint8)
            for picture in pictures.values()
        ]
    )
    detections = checkpoint.detect(frames, num_boxes)
    return KnownDetections(tuple(pictures), frames, detections, threshold)


def kept(known: KnownDetections) -> KnownDetections:
    """Return the photographs and some of the drawings: a server needs no more."""
    photos = [index for index, name in enumerate(known.names) if name.startswith("photo")]
    drawings = [index for index, name in enumerate(known.names) if name.startswith("drawn")]
    chosen = photos[:KEPT_PHOTOS] + drawings[:: max(1, len(drawings) // KEPT_DRAWINGS)]
    chosen = chosen[: KEPT_PHOTOS + KEPT_DRAWINGS]
    found = known.detections
    return KnownDetections(
        tuple(known.names[index] for index in chosen),
        known.frames[chosen],
        Detections(found.boxes[chosen], found.scores[chosen], found.labels[chosen]),
        known.threshold,
    )


def check_graph_detections(
    path: Path, known: KnownDetections, precision: Precision
) -> list[BatchCheck]:
    """Compare a graph's detections of the known pictures with the checkpoint's own.

    Raises:
        InvalidGraph: if the ONNX checker or onnxruntime rejects the graph.
        DetectionsDiffer: if a detection is further away than the precision allows, or differs
            between batches of two sizes.
    """
    check_graph(path)
    session = DetectorSession(path)
    bounds = FP32_BOUNDS if precision is Precision.FP32 else REDUCED_BOUNDS
    checks: list[BatchCheck] = []
    alone: KnownDetections | None = None
    for size in BATCH_SIZES:
        found = _detect(session, known.frames, size)
        alone = alone or KnownDetections(known.names, known.frames, found, known.threshold)
        try:
            close = check_detections(known, found, bounds)
            check_detections(alone, found, BETWEEN_BATCHES, "a batch of one")
        except DetectorDiffers as error:
            raise DetectionsDiffer(f"in batches of {size}: {error}") from error
        checks.append(BatchCheck(size, close.compared, close.overlap, close.score))
    return checks


def _detect(session: DetectorSession, frames: NDArray[np.uint8], size: int) -> Detections:
    parts = [session.detect(frames[at : at + size]) for at in range(0, len(frames), size)]
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
