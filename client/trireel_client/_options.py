# SPDX-License-Identifier: Apache-2.0
"""What a caller may ask of an analysis, as input tensors."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import InvalidRequest

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Options:
    """Options of an analysis; None leaves one to the server."""

    tags: Sequence[str] | None = None
    """Texts scored instead of the server's tags."""
    chunk_seconds: float | None = None
    """Length of a chunk."""
    frames_per_chunk: int | None = None
    """Frames sampled from each chunk."""
    top_k: int | None = None
    """Tags returned."""
    scene_threshold: float | None = None
    """Least scene score of a cut."""
    scene_alpha: float | None = None
    """Weight of the newest frame in the running average."""
    with_embeddings: bool = False
    """Return embeddings of chunks and frames."""

    def __post_init__(self) -> None:
        if self.tags is not None:
            object.__setattr__(self, "tags", checked_texts("tags", self.tags))

    def sampling(self) -> Tensors:
        """Return the inputs that say how a video is cut and sampled."""
        return _given(
            CHUNK_SECONDS=_number(np.float64, float, "chunk_seconds", self.chunk_seconds),
            FRAMES_PER_CHUNK=_number(
                np.int32, operator.index, "frames_per_chunk", self.frames_per_chunk
            ),
        )

    def decoding(self) -> Tensors:
        """Return the inputs that say what is made of the frames, free-text tags aside."""
        return _given(
            TOP_K=_number(np.int32, operator.index, "top_k", self.top_k),
            SCENE_THRESHOLD=_number(np.float32, float, "scene_threshold", self.scene_threshold),
            SCENE_ALPHA=_number(np.float32, float, "scene_alpha", self.scene_alpha),
        )

    def whole_video(self) -> Tensors:
        """Return the inputs of a whole video's request."""
        return {
            **self.sampling(),
            **self.decoding(),
            **_given(
                TAGS=None if self.tags is None else texts(self.tags),
                WITH_EMBEDDINGS=np.array([True]) if self.with_embeddings else None,
            ),
        }


def texts(values: Sequence[str | bytes]) -> NDArray[np.object_]:
    """Return a BYTES tensor [len(values)]."""
    array = np.empty(len(values), np.object_)
    array[:] = [value.encode() if isinstance(value, str) else value for value in values]
    return array


def checked_texts(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return texts as a tuple; raises InvalidRequest for none, or for one given without a list."""
    if isinstance(values, str):
        raise InvalidRequest(f"{name} is one string: give a list of strings")
    checked = tuple(values)
    if not checked:
        raise InvalidRequest(f"{name} is empty: give at least one text")
    for value in checked:
        if not isinstance(value, str) or not value.strip():
            raise InvalidRequest(f"{name} holds {value!r}: give texts that are not blank")
    return checked


def _given(**tensors: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


def _number(
    dtype: type[np.generic], convert: Callable[[Any], float], name: str, value: float | None
) -> NDArray[Any] | None:
    if value is None:
        return None
    try:
        converted = convert(value)
        if np.issubdtype(dtype, np.integer) and not -(2**31) <= converted < 2**31:
            raise OverflowError  # NumPy 1 would keep the lower bits and go on
        return np.array([converted], dtype)
    except (TypeError, ValueError, OverflowError) as error:
        kind = np.dtype(dtype).name
        raise InvalidRequest(f"{name} is {value!r}: give a number that fits {kind}") from error
