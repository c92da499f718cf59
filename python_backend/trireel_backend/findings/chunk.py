# SPDX-License-Identifier: Apache-2.0
"""A chunk as findings see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.wire.tensors import Tensors
from trireel_backend.wire.views import PackedView
from trireel_schema.ranking import pool

UNIT_NORM_TOLERANCE = 0.01
MAX_WEIGHT_SECONDS = 1e6
Answers = Mapping[str, Sequence[Tensors]]
"""Answers of the models that findings call, in order, by the name of the finding."""

NO_ANSWERS: Answers = MappingProxyType({})


@dataclass(frozen=True)
class ChunkFrames:
    """The next chunk of a video, encoded."""

    embeddings: NDArray[np.float32]
    """[f, D] embeddings of the sampled frames, unit length, in order."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of the sampled frames."""
    weight_seconds: float
    """Weight of the chunk in the mean over the video."""
    views: Mapping[str, PackedView] = field(default_factory=lambda: MappingProxyType({}))
    """Frames of second views, by the name of the finding that needs them."""
    start_seconds: float | None = None
    """PTS at which the chunk begins, None if the request does not state it."""
    duration_seconds: float | None = None
    """Length of the chunk in seconds, None if the request does not state it."""
    is_last: bool = False
    """True for the last chunk of its video."""
    answers: Answers = field(default_factory=lambda: MappingProxyType({}))
    """Answers of the models that findings call, in order, by the name of the finding."""

    def __post_init__(self) -> None:
        frames = len(self.embeddings)
        if frames == 0 or self.timestamps_seconds.shape != (frames,):
            raise InvalidInput(
                f"got EMBEDDINGS of {frames} frames and TIMESTAMPS"
                f" {list(self.timestamps_seconds.shape)}: send one timestamp per frame, 1 or more"
            )
        check_unit_length("EMBEDDINGS", self.embeddings)
        if not np.isfinite(self.timestamps_seconds).all():
            raise InvalidInput("TIMESTAMPS hold a value that is not a number: send seconds")
        if not 0 < self.weight_seconds <= MAX_WEIGHT_SECONDS:  # also false for NaN
            raise InvalidInput(
                f"CHUNK_DURATION_SECONDS is {self.weight_seconds:g}: give a number above 0, up to"
                f" {MAX_WEIGHT_SECONDS:g}"
            )

    @property
    def begin_seconds(self) -> float:
        """PTS at which the chunk begins, or its first sampled frame's if it is not stated."""
        return (
            float(self.timestamps_seconds[0]) if self.start_seconds is None else self.start_seconds
        )

    @property
    def end_seconds(self) -> float:
        """End of the chunk, or the PTS of its last sampled frame if it is not stated."""
        if self.start_seconds is None or self.duration_seconds is None:
            return float(self.timestamps_seconds[-1])
        return self.start_seconds + self.duration_seconds

    @cached_property
    def pooled(self) -> NDArray[np.float32]:
        """[D] mean of the frames' embeddings, unit length."""
        return pool(self.embeddings)


def check_unit_length(name: str, embeddings: NDArray[np.float32]) -> None:
    """Raise InvalidInput unless all rows [.., D] are of unit length."""
    norms = np.linalg.norm(embeddings, axis=1)
    if not np.allclose(norms, 1.0, atol=UNIT_NORM_TOLERANCE):  # also false for NaN
        raise InvalidInput(f"{name} are not of unit length: send the towers' output")
