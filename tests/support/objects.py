# SPDX-License-Identifier: Apache-2.0
"""A detector whose frames say in their first bytes what it finds in them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.findings.finding import ServerModels
from trireel_schema.detector import DETECTOR_MODEL, DETECTOR_OUTPUTS, DetectorMetadata, Fit
from trireel_schema.precision import Precision

LABELS = ("person", "car", "ball")
NUM_BOXES = 3
WIDTH_PX, HEIGHT_PX = 16, 12
BYTES_PER_BOX = 6  # left, top, right, bottom and score as parts of 255; the label

DETECTOR = DetectorMetadata(
    checkpoint="drawn/detector",
    architecture="DFineForObjectDetection",
    weights_sha256="d" * 64,
    labels=LABELS,
    width_px=WIDTH_PX,
    height_px=HEIGHT_PX,
    fit=Fit.SQUASH,
    num_boxes=NUM_BOXES,
    threshold=0.5,
    opset=17,
    precision=Precision.FP32,
    versions={},
)
MODELS = ServerModels(DETECTOR, characters=("", "a"))


def frame_of(*objects: tuple[float, float, float, float, float, str]) -> NDArray[np.uint8]:
    """Return a frame [H, W, 3] with objects: left, top, right, bottom, score 0..1, label."""
    data = np.zeros(HEIGHT_PX * WIDTH_PX * 3, np.uint8)
    for index, (*numbers, label) in enumerate(objects):
        row = [*(round(number * 255) for number in numbers), LABELS.index(label)]
        data[index * BYTES_PER_BOX :][:BYTES_PER_BOX] = row
    return data.reshape(HEIGHT_PX, WIDTH_PX, 3)


def detected(frames: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return the outputs of the detector for frames [N, H, W, 3], the best box first."""
    data = frames.reshape(len(frames), -1)[:, : NUM_BOXES * BYTES_PER_BOX]
    rows = data.reshape(len(frames), NUM_BOXES, BYTES_PER_BOX)
    order = np.argsort(-rows[..., 4].astype(int), axis=1, kind="stable")
    rows = np.take_along_axis(rows, order[..., None], axis=1)
    numbers = rows[..., :5].astype(np.float32) / 255
    return {
        "BOXES": numbers[..., :4],
        "SCORES": numbers[..., 4],
        "LABELS": (rows[..., 5] % len(LABELS)).astype(np.int32),
    }


async def detector_model(
    model_name: str, inputs: dict[str, NDArray[Any]], outputs: tuple[str, ...], **_: object
) -> dict[str, NDArray[Any]]:
    """Answer a call of the detector."""
    assert (model_name, outputs) == (DETECTOR_MODEL, DETECTOR_OUTPUTS)
    return detected(inputs["FRAMES"])
