# SPDX-License-Identifier: Apache-2.0
"""Finding `caption`: the description that fits a chunk best, and the best one of the video."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import CallsNoModel, Knowledge, ServerModels, ViewSpec
from trireel_backend.findings.free_texts import check_width, free_texts
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts
from trireel_schema.ranking import Ranking, rank
from trireel_schema.texts import TextSet


class Caption(CallsNoModel):
    """Chooses the best of some descriptions; the video's is the best of its chunks'."""

    name: ClassVar[str] = "caption"

    def __init__(self, knowledge: Knowledge) -> None:
        self._bank = knowledge.bank.descriptions
        self._calibration = knowledge.calibration

    @staticmethod
    def options(request: Request) -> TextSet | None:
        """Read DESCRIPTIONS and DESCRIPTION_EMBEDDINGS; raises InvalidInput.

        None stands for the bank's descriptions.
        """
        return free_texts(request, "DESCRIPTIONS")

    @staticmethod
    def view(_: object, __: ServerModels) -> ViewSpec | None:
        """Return None: the tower's frames suffice."""
        return None

    def start(self) -> Ranking | None:
        """Return no caption."""
        return None

    def step(
        self, state: Ranking | None, chunk: ChunkFrames, options: TextSet | None
    ) -> tuple[Ranking, dict[str, NDArray[np.generic]]]:
        """Choose the caption of a chunk and of the video so far."""
        check_width("DESCRIPTIONS", options, self._bank)
        (caption,) = rank(options or self._bank, chunk.pooled[None], 1, self._calibration)
        best = caption if state is None or caption.scores[0] > state.scores[0] else state
        return best, {
            "CHUNK_CAPTION_TEXTS": texts(caption.texts),
            "CHUNK_CAPTION_SCORES": caption.scores,
            "CHUNK_CAPTION_PROBABILITIES": caption.probabilities,
            "CAPTION_TEXT": texts(best.texts),
            "CAPTION_SCORE": best.scores,
            "CAPTION_PROBABILITY": best.probabilities,
        }
