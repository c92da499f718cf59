# SPDX-License-Identifier: Apache-2.0
"""Finding `tags`: the texts that fit a chunk best, and the video so far."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import CallsNoModel, Knowledge, ServerModels, ViewSpec
from trireel_backend.findings.free_texts import check_width, free_texts
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, texts
from trireel_schema.ranking import Ranking, rank
from trireel_schema.texts import TextSet

DEFAULT_TOP_K = 5
MAX_TOP_K = 1000


@dataclass(frozen=True)
class TagOptions:
    """Inputs of a request, the same for every chunk of a video."""

    top_k: int = DEFAULT_TOP_K
    """Number of tags to return; all tags if there are fewer."""
    tags: TextSet | None = None
    """Tags to score instead of the bank's."""

    def __post_init__(self) -> None:
        if not 1 <= self.top_k <= MAX_TOP_K:
            raise InvalidInput(f"TOP_K is {self.top_k}: give a number from 1 to {MAX_TOP_K}")


@dataclass(frozen=True)
class Mean:
    """The duration-weighted mean of a video's chunks."""

    weighted_sum: NDArray[np.float64]
    """[D] sum of the chunks' embeddings, each multiplied by its seconds; [1] before the first."""
    weight_seconds: float = 0.0
    """Sum of the chunks' weights in seconds."""

    def __post_init__(self) -> None:
        if self.weighted_sum.ndim != 1:  # a state from outside
            raise ValueError(f"weighted_sum has {self.weighted_sum.ndim} dimensions: it has one")


class Tags(CallsNoModel):
    """Ranks texts by their cosine to the pooled frames of a chunk, and to the video's mean."""

    name: ClassVar[str] = "tags"

    def __init__(self, knowledge: Knowledge) -> None:
        self._bank = knowledge.bank.tags
        self._calibration = knowledge.calibration

    @staticmethod
    def options(request: Request) -> TagOptions:
        """Read TOP_K, TAGS and TAG_EMBEDDINGS; raises InvalidInput."""
        top_k = request.number("TOP_K", int)
        return TagOptions(DEFAULT_TOP_K if top_k is None else top_k, free_texts(request, "TAGS"))

    @staticmethod
    def view(_: object, __: ServerModels) -> ViewSpec | None:
        """Return None: the tower's frames suffice."""
        return None

    def start(self) -> Mean:
        """Return the mean of no chunks."""
        return Mean(np.zeros(1))

    def step(
        self, state: Mean, chunk: ChunkFrames, options: TagOptions
    ) -> tuple[Mean, dict[str, NDArray[np.generic]]]:
        """Rank the tags of a chunk and of the video so far."""
        tags = options.tags or self._bank
        check_width("TAGS", options.tags, self._bank)
        state = Mean(
            state.weighted_sum + chunk.pooled.astype(np.float64) * chunk.weight_seconds,
            state.weight_seconds + chunk.weight_seconds,
        )
        mean = (state.weighted_sum / state.weight_seconds).astype(np.float32)
        # Ranked together, so that a large bank is read once.
        chunk_tags, video_tags = rank(
            tags, np.stack([chunk.pooled, mean]), options.top_k, self._calibration
        )
        rows = {name: array[None] for name, array in _tensors("CHUNK_TAG", chunk_tags).items()}
        return state, {**rows, **_tensors("TAG", video_tags)}


def _tensors(prefix: str, ranking: Ranking) -> Tensors:
    return {
        f"{prefix}_TEXTS": texts(ranking.texts),
        f"{prefix}_SCORES": ranking.scores,
        f"{prefix}_PROBABILITIES": ranking.probabilities,
    }
