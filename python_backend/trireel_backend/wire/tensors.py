# SPDX-License-Identifier: Apache-2.0
"""Answers as named arrays: making the models' tensors and combining them.

docs/tensors.md explains each name. A tensor whose name begins with an item of `STACKED` holds one
row per chunk, frame or cut, and grows from chunk to chunk; the others describe the video so far.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[Any]]

NUMPY_TYPES: Mapping[str, type[np.generic]] = {
    "BYTES": np.object_,
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP32": np.float32,
    "FP64": np.float64,
}
"""NumPy's type for each data type of KServe v2 that the catalogue uses."""

PER_FRAME = ("TIMESTAMPS", "PTS", "EMBEDDINGS")
STACKED = ("CHUNK_", "SCENE_", "OBJECT_", *PER_FRAME)


def scalar(value: float | int | bool, dtype: type[np.generic]) -> NDArray[Any]:
    """Return `value` as an array [1], which is a single number in KServe v2."""
    return np.array([value], dtype)


def texts(values: Sequence[str]) -> NDArray[np.object_]:
    """Return strings as a BYTES tensor [len(values)]; surrogate escapes become their bytes."""
    array = np.empty(len(values), np.object_)
    array[:] = [value.encode("utf-8", "surrogateescape") for value in values]
    return array


def stack_chunks(answers: Sequence[Tensors]) -> dict[str, NDArray[Any]]:
    """Combine the answers of a video's chunks, in order, into the answer of the whole video."""
    stacked: dict[str, NDArray[Any]] = dict(answers[-1])
    for name in stacked:
        if name.startswith(STACKED):
            stacked[name] = np.concatenate([answer[name] for answer in answers])
    return stacked


def split_chunks(stacked: Tensors) -> Iterator[dict[str, NDArray[Any]]]:
    """Split the extractor's answer for several chunks by CHUNK_NUM_FRAMES, in order."""
    ends = np.cumsum(stacked["CHUNK_NUM_FRAMES"])
    for index, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        part = dict(stacked)
        for name, array in stacked.items():
            if name.startswith("CHUNK_"):
                part[name] = array[index : index + 1]
            elif name in PER_FRAME:
                part[name] = array[start:end]
        yield part
