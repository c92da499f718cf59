# SPDX-License-Identifier: Apache-2.0
"""The self-test of `shot_boundary`: a known window gets the probabilities that it must get."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.shots.files import load_windows
from trireel_schema.errors import TowerDiffers
from trireel_schema.shots import SHOT_MODEL
from trireel_schema.windows import KnownWindows, check_windows


def request_known_window(endpoint: Endpoint, folder: Path, timeout_seconds: float) -> None:
    """Request the first known window, which has two cuts, and compare the answer.

    Args:
        folder: the model's files.

    Raises:
        CanaryFailed: if no answer comes in time, or a probability is not the known one.
        MissingPart: if the folder lacks the known windows.
    """
    known = load_windows(folder)
    first = KnownWindows(known.names[:1], known.frames[:1], known.single[:1], known.many[:1])
    with endpoint.client() as client:
        try:
            served = judge_windows(client, first.frames, timeout_seconds)
        except InferenceServerException as error:
            raise CanaryFailed(f"{SHOT_MODEL} does not answer: {error.message()}") from error
    try:
        check_windows(first, *served)
    except TowerDiffers as error:
        raise CanaryFailed(f"{SHOT_MODEL}: {error}") from error


def judge_windows(
    client: Any, frames: NDArray[np.uint8], timeout_seconds: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Request SINGLE and MANY [N, 100] of windows [N, 100, 27, 48, 3] from the served model.

    Raises:
        InferenceServerException: if the server returns an error, or nothing in time.
    """
    tensor = InferInput("FRAMES", list(frames.shape), "UINT8")
    tensor.set_data_from_numpy(frames)
    answer = client.infer(SHOT_MODEL, [tensor], client_timeout=timeout_seconds)
    single, many = (np.asarray(answer.as_numpy(name), np.float32) for name in ("SINGLE", "MANY"))
    return single, many
