# SPDX-License-Identifier: Apache-2.0
"""The self-test of `text_detector` and `text_recognizer`: they must read a known picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.reading.boxes import TextBoxes, joined_lines, text_boxes
from trireel_backend.reading.codes import ReadLine, read_codes
from trireel_backend.reading.lines import detector_frames, line_pictures
from trireel_backend.text_models.files import (
    DETECTOR_MODEL,
    RECOGNIZER_MODEL,
    load_characters,
)
from trireel_backend.text_models.known import KnownText, load_known_text

LEAST_OVERLAP = 0.5
"""Shared area / joined area of a found box and the ink's box; boxes are wider than ink."""


def request_known_text(endpoint: Endpoint, folder: Path, timeout_seconds: float) -> None:
    """Let both models read the known picture, and compare boxes and texts.

    Args:
        folder: the models' files.

    Raises:
        CanaryFailed: if no answer comes in time, or a line is not read as it is written.
        MissingPart: if the characters or the known picture are missing.
    """
    known, characters = load_known_text(), load_characters(folder)
    with endpoint.client() as client:
        try:
            found, lines = read_frame(client, known.frame, characters, timeout_seconds)
        except InferenceServerException as error:
            raise CanaryFailed(
                f"{DETECTOR_MODEL} or {RECOGNIZER_MODEL} does not answer: {error.message()}"
            ) from error
    check_known_text(known, found, lines)


def check_known_text(known: KnownText, found: TextBoxes, lines: list[ReadLine]) -> None:
    """Raise CanaryFailed unless the lines of the known picture were found and read."""
    texts = tuple(line.text for line in lines)
    if texts != known.texts:
        raise CanaryFailed(f"the known lines {known.texts} were read as {texts}")
    overlaps = [_overlap(*pair) for pair in zip(found.boxes, known.boxes, strict=True)]
    if min(overlaps) < LEAST_OVERLAP:
        raise CanaryFailed(
            f"{DETECTOR_MODEL} places the known lines at {found.boxes.tolist()}, they are at"
            f" {known.boxes.tolist()}"
        )


def read_frame(
    client: Any, frame: NDArray[np.uint8], characters: list[str], timeout_seconds: float
) -> tuple[TextBoxes, list[ReadLine]]:
    """Find and read the lines of a frame [H, W, 3] with the served models.

    Raises:
        InferenceServerException: if the server returns an error, or nothing in time.
    """
    height, width = frame.shape[:2]
    (text_map,) = _infer(
        client, DETECTOR_MODEL, {"FRAMES": detector_frames(frame[None])}, timeout_seconds
    )["TEXT_MAP"]
    found = joined_lines(text_boxes(text_map, (height, width)))
    lines = [ReadLine("", 0.0)] * len(found)
    for group in line_pictures(frame, found.boxes):
        answer = _infer(client, RECOGNIZER_MODEL, {"LINES": group.pictures}, timeout_seconds)
        read = read_codes(answer["CODES"], answer["CODE_SCORES"], characters)
        for index, line in zip(group.indices, read, strict=True):
            lines[index] = line
    return found, lines


def _infer(
    client: Any, model: str, arrays: Mapping[str, NDArray[np.uint8]], timeout_seconds: float
) -> dict[str, NDArray[Any]]:
    tensors = []
    for name, array in arrays.items():
        tensor = InferInput(name, list(array.shape), "UINT8")
        tensor.set_data_from_numpy(np.ascontiguousarray(array))
        tensors.append(tensor)
    answer = client.infer(model, tensors, client_timeout=timeout_seconds)
    names = [output.name for output in answer.get_response().outputs]
    return {name: answer.as_numpy(name) for name in names}


def _overlap(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    corners = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = float(np.prod(np.maximum(corners[1] - corners[0], 0)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, second)]
    return shared / (sum(areas) - shared)
