# SPDX-License-Identifier: Apache-2.0
"""Finding `caption`: the description that fits a chunk best, and the best one of the video."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import CallsNoModel, Knowledge, ViewSpec
from trireel_backend.ranking import scoring
from trireel_backend.ranking.scoring import Ranking
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts


class Caption(CallsNoModel):
    """Chooses the best of the bank's descriptions; the video's is the best of its chunks'."""

    name: ClassVar[str] = "caption"

    def __init__(self, knowledge: Knowledge) -> None:
        self._bank = knowledge.bank.descriptions
        self._calibration = knowledge.calibration

    @staticmethod
    def options(request: Request) -> None:
        """Read nothing: a caption has no inputs."""

    @staticmethod
    def view(_: object) -> ViewSpec | None:
        """Return None: the tower's frames suffice."""
        return None

    def start(self) -> Ranking | None:
        """Return no caption."""
        return None

    def step(
        self, state: Ranking | None, chunk: ChunkFrames, options: None
    ) -> tuple[Ranking, dict[str, NDArray[np.generic]]]:
        """Choose the caption of a chunk and of the video so far."""
        (caption,) = scoring.rank(self._bank, chunk.pooled[None], 1, self._calibration)
        best = caption if state is None or caption.scores[0] > state.scores[0] else state
        return best, {
            "CHUNK_CAPTION_TEXTS": texts(caption.texts),
            "CHUNK_CAPTION_SCORES": caption.scores,
            "CHUNK_CAPTION_PROBABILITIES": caption.probabilities,
            "CAPTION_TEXT": texts(best.texts),
            "CAPTION_SCORE": best.scores,
            "CAPTION_PROBABILITY": best.probabilities,
        }
