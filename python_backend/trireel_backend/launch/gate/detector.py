# SPDX-License-Identifier: Apache-2.0
"""Does a served `object_detector` find what its checkpoint finds?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tritonclient.utils import InferenceServerException

from trireel_backend.artifacts import load_detector, load_known_detections
from trireel_backend.errors import GateFailed
from trireel_backend.launch.detector_canary import detect_frames
from trireel_backend.launch.endpoint import Endpoint
from trireel_schema.detections import (
    REDUCED_BOUNDS,
    Detections,
    KnownDetections,
    check_detections,
)
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_MODEL, KNOWN_DETECTIONS_FILE
from trireel_schema.errors import DetectorDiffers

BATCH_SIZES = (1, 5)
"""One frame, and a size for which no graph was built."""
CALL_SECONDS = 300.0


@dataclass(frozen=True)
class DetectorReport:
    """The results of a detector that passed in batches of one size."""

    batch_size: int
    detections: int
    """Number of detections that were compared."""
    overlap: float
    """Smallest IoU of a box with the checkpoint's own."""
    score: float
    """Largest difference of a score to the checkpoint's own."""
    between_batches: float
    """Largest difference of a score to that in batches of one."""


def check_served_detector(endpoint: Endpoint, folder: Path) -> list[DetectorReport]:
    """Request the known detections in several batch sizes, and compare the answers.

    Args:
        folder: the detector's files.

    Raises:
        GateFailed: if the server returns an error, or a detection differs too much.
        MissingPart: if the folder lacks the known detections.
    """
    metadata = load_detector(folder / DETECTOR_FILE)
    known = load_known_detections(folder / KNOWN_DETECTIONS_FILE, metadata)
    alone: KnownDetections | None = None
    reports = []
    for size in BATCH_SIZES:
        found = _detect(endpoint, known, size)
        alone = alone or KnownDetections(known.names, known.frames, found, known.threshold)
        try:
            close = check_detections(known, found, REDUCED_BOUNDS)
            apart = check_detections(alone, found, REDUCED_BOUNDS, "batches of one").score
        except DetectorDiffers as error:
            raise GateFailed(f"{DETECTOR_MODEL} in batches of {size}: {error}") from error
        reports.append(DetectorReport(size, close.compared, close.overlap, close.score, apart))
    return reports


def _detect(endpoint: Endpoint, known: KnownDetections, size: int) -> Detections:
    parts = []
    with endpoint.client() as client:
        for at in range(0, len(known.names), size):
            try:
                parts.append(detect_frames(client, known.frames[at : at + size], CALL_SECONDS))
            except InferenceServerException as error:
                raise GateFailed(
                    f"{DETECTOR_MODEL} does not detect in a batch of {size}: {error.message()}"
                ) from error
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
