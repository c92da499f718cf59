# SPDX-License-Identifier: Apache-2.0
"""The self-test of `object_detector`: it finds in known pictures the known things."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.artifacts import load_detector, load_known_detections
from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.endpoint import Endpoint
from trireel_schema.detections import REDUCED_BOUNDS, Detections, check_detections
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_INPUT,
    DETECTOR_MODEL,
    DETECTOR_OUTPUTS,
    KNOWN_DETECTIONS_FILE,
)
from trireel_schema.errors import DetectorDiffers

CANARY_PICTURES = 2


def request_known_detections(endpoint: Endpoint, folder: Path, timeout_seconds: float) -> None:
    """Request the detections of the first known pictures, and compare them.

    A folder without known detections, which another program than trireel-export made, has nothing
    to compare with.

    Args:
        folder: the detector's files.

    Raises:
        CanaryFailed: if no answer comes in time, or a detection is not the known one.
        MissingPart: if a file of the folder is damaged.
    """
    if not (folder / KNOWN_DETECTIONS_FILE).exists():
        return
    metadata = load_detector(folder / DETECTOR_FILE)
    known = load_known_detections(folder / KNOWN_DETECTIONS_FILE, metadata)
    first = known.some(slice(CANARY_PICTURES))
    with endpoint.client() as client:
        try:
            served = detect_frames(client, first.frames, timeout_seconds)
        except InferenceServerException as error:
            raise CanaryFailed(f"{DETECTOR_MODEL} does not answer: {error.message()}") from error
    try:
        check_detections(first, served, REDUCED_BOUNDS)
    except DetectorDiffers as error:
        raise CanaryFailed(f"{DETECTOR_MODEL}: {error}") from error


def detect_frames(client: Any, frames: NDArray[np.uint8], timeout_seconds: float) -> Detections:
    """Request the detections of frames [N, H, W, 3] from the served model.

    Raises:
        InferenceServerException: if the server returns an error, or nothing in time.
    """
    tensor = InferInput(DETECTOR_INPUT, list(frames.shape), "UINT8")
    tensor.set_data_from_numpy(frames)
    answer = client.infer(DETECTOR_MODEL, [tensor], client_timeout=timeout_seconds)
    return Detections(*(answer.as_numpy(name) for name in DETECTOR_OUTPUTS))
