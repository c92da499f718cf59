# SPDX-License-Identifier: Apache-2.0
"""The shared memory of a run of perf_analyzer, which is gone when the run is over."""

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from tritonclient.grpc import InferenceServerClient

from trireel_backend.launch.run_folder import SHARED_MEMORY

OF_A_STEP = re.compile(r"_\d+_\d+$")  # after an input's name: stream of the data, step of it


def tensor_names(url: str, model: str) -> list[str]:
    """Ask a server, at its address for gRPC, for a model's inputs and outputs."""
    with InferenceServerClient(url) as client:
        metadata = client.get_model_metadata(model)
    return [tensor.name for tensor in (*metadata.inputs, *metadata.outputs)]


@contextlib.contextmanager
def removed_at_the_end(tensors: Collection[str]) -> Iterator[None]:
    """Remove at the end, however it comes, the regions that perf_analyzer made in the context.

    Left to itself it leaves those that the server would not be told of, and all when it is killed.

    Args:
        tensors: of the model it asks. Regions have their names and no other mark, so that one
            which was there before is somebody else's, and stays.
    """
    before = _regions(tensors)
    try:
        yield
    finally:
        for region in _regions(tensors) - before:
            region.unlink(missing_ok=True)


def _regions(tensors: Collection[str]) -> set[Path]:
    return {path for path in SHARED_MEMORY.iterdir() if OF_A_STEP.sub("", path.name) in tensors}
