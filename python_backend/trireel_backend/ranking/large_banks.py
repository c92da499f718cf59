# SPDX-License-Identifier: Apache-2.0
"""Large banks: int8 codes select the candidates, their cosines are computed in float32.

Reading 100,000 embeddings of 768 values from memory takes longer than a chunk may take. Codes of
one byte per value are a quarter of that size. The rounding error of each code is known, so no text
that could be among the best is missed: the result is that of the plain product, up to rounding.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trireel_schema.texts import TextSet

if TYPE_CHECKING:
    from trireel_backend.ranking.codes import Codes

CODED_FROM_BYTES = 16 * 2**20  # of float32; for smaller banks the plain product is as fast
GROUP = 64
MOST_OF_TEXTS = 1 / 8  # candidates; with more, selecting them costs more than using all texts


@dataclass(frozen=True)
class CodedTexts(TextSet):
    """A text set with codes of its embeddings; it ranks exactly as the text set does."""

    codes: "Codes"

    @classmethod
    def of(cls, texts: TextSet) -> TextSet:
        """Return the text set with codes if it is large enough to benefit, else unchanged."""
        if texts.embeddings.nbytes < CODED_FROM_BYTES:
            return texts
        # Imported here, because small banks do not need onnxruntime.
        from trireel_backend.ranking.codes import Codes

        return cls(texts.texts, texts.embeddings, Codes(texts.embeddings))

    def cosines(
        self, embeddings: NDArray[np.float32], k: int
    ) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Return, for each of the embeddings [q, D], the texts that can be among its `k` best."""
        least, most = self.codes.bounds(embeddings)
        return [
            self._exact(embedding, np.flatnonzero(high >= _reached(low, k)))
            for embedding, low, high in zip(embeddings, least, most, strict=True)
        ]

    def _exact(
        self, query: NDArray[np.float32], candidates: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        if len(candidates) > MOST_OF_TEXTS * len(self.texts):
            return np.arange(len(self.texts)), self.embeddings @ query
        # Each row on its own, so that equal embeddings have equal cosines.
        return candidates, np.einsum("md,d->m", self.embeddings[candidates], query)


def _reached(cosines: NDArray[np.float32], k: int) -> np.float32:
    """Return a value that at least `k` of the cosines [m] reach, close to the `k`-th highest."""
    groups = len(cosines) // GROUP
    if groups >= 4 * k:  # the best of each group are enough, and far fewer
        cosines = cosines[: groups * GROUP].reshape(GROUP, groups).max(axis=0)
    k = min(k, len(cosines))
    return np.float32(np.partition(cosines, -k)[-k])
