# SPDX-License-Identifier: Apache-2.0
"""The self-test: a server is well when its answers are right, not when it answers.

A constant embedding or an empty tensor looks like success to every health endpoint.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.artifacts import load_canary
from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.endpoint import Endpoint
from trireel_schema.files import CANARY_FILE
from trireel_schema.gate import CONSTANT_COSINE, LEAST_COSINE
from trireel_schema.pictures import Canary

POLL_SECONDS = 0.1
CALL_SECONDS = 60.0


def wait_until_ready(endpoint: Endpoint, deadline: float, alive: Callable[[], bool]) -> bool:
    """Wait until all models are loaded; return False if the server dies or time runs out.

    Args:
        deadline: end of the wait, on the clock of time.monotonic.
        alive: returns whether the server's process still runs.
    """
    with endpoint.client() as client:
        while alive() and time.monotonic() < deadline:
            try:
                if client.is_server_ready(client_timeout=CALL_SECONDS):
                    return True
            except InferenceServerException:
                pass  # not listening yet
            time.sleep(POLL_SECONDS)
    return False


def check_canary(endpoint: Endpoint, export: Path) -> tuple[str, int]:
    """Compare the served tower with the checkpoint; return Triton's version and model count.

    Raises:
        CanaryFailed: if the embeddings are constant, or differ from the checkpoint's.
    """
    request_canary(endpoint, export, CALL_SECONDS)
    with endpoint.client() as client:
        try:
            version = client.get_server_metadata(client_timeout=CALL_SECONDS).version
            models = client.get_inference_statistics(client_timeout=CALL_SECONDS).model_stats
        except InferenceServerException as error:
            raise CanaryFailed(f"the server returns no metadata: {error.message()}") from error
    return version, len(models)


def request_canary(endpoint: Endpoint, export: Path, timeout_seconds: float) -> None:
    """Request embeddings of the export's two known pictures in one call, and compare them.

    Raises:
        CanaryFailed: if no answer comes in time, or the embeddings differ from the checkpoint's.
        MissingPart: if the export has no canary.
    """
    canary = load_canary(export / CANARY_FILE)
    with endpoint.client() as client:
        try:
            served = embed_frames(client, canary.frames, timeout_seconds)
        except InferenceServerException as error:
            raise CanaryFailed(f"siglip_vision does not answer: {error.message()}") from error
    compare(canary, served)


def compare(canary: Canary, served: NDArray[np.float32]) -> None:
    """Compare `served` [2, D] with the canary's embeddings.

    Raises:
        CanaryFailed: if they differ.
    """
    if served.shape != canary.embeddings.shape:
        raise CanaryFailed(
            f"siglip_vision returned embeddings of shape {served.shape}, the checkpoint's have"
            f" {canary.embeddings.shape}: NumPy 2 in the embedded server's environment causes this"
        )
    cosine = float(served[0] @ served[1])
    if not cosine <= CONSTANT_COSINE:
        raise CanaryFailed(
            f"siglip_vision gives two different pictures embeddings of cosine {cosine:.4f}"
        )
    cosines = (served * canary.embeddings).sum(axis=1)
    if not cosines.min() >= LEAST_COSINE:
        raise CanaryFailed(
            f"siglip_vision's embedding of a known picture has cosine {cosines.min():.4f} to the"
            f" checkpoint's own, at least {LEAST_COSINE} is needed: export it again"
        )


def embed_frames(
    client: Any, frames: NDArray[np.uint8], timeout_seconds: float
) -> NDArray[np.float32]:
    """Request the embeddings [N, D] of frames [N, S, S, 3] from the served tower.

    Raises:
        InferenceServerException: if the server returns an error, or nothing in time.
    """
    tensor = InferInput("FRAMES", list(frames.shape), "UINT8")
    tensor.set_data_from_numpy(frames)
    answer = client.infer("siglip_vision", [tensor], client_timeout=timeout_seconds)
    return np.asarray(answer.as_numpy("EMBEDDINGS"), np.float32)
