# SPDX-License-Identifier: Apache-2.0
"""Large banks: which texts can be among the best is found in bytes, their cosines in float32.

Reading 100,000 embeddings of 768 numbers from memory takes longer than a chunk may take. Codes of
one byte a number are a quarter of that. How much a code leaves out is known, so no text that could
be among the best is passed over: the answer is that of the plain product, but for rounding.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trireel_schema.texts import TextSet

if TYPE_CHECKING:
    from trireel_backend.ranking.codes import Codes

CODED_FROM_BYTES = 16 * 2**20  # of float32; below, the plain product is as quick
GROUP = 64
MOST_OF_TEXTS = 1 / 8  # candidates; where there are more, picking them costs more than all of them


@dataclass(frozen=True)
class CodedTexts(TextSet):
    """A text set with a code of its embeddings; ranks as the text set does."""

    codes: "Codes"

    @classmethod
    def of(cls, texts: TextSet) -> TextSet:
        """Return the text set with codes if it is so large that they pay, else as it is."""
        if texts.embeddings.nbytes < CODED_FROM_BYTES:
            return texts
        # Only here: small banks do without what it loads.
        from trireel_backend.ranking.codes import Codes

        return cls(texts.texts, texts.embeddings, Codes(texts.embeddings))

    def cosines(
        self, embeddings: NDArray[np.float32], k: int
    ) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Return for each of the embeddings [q, D] the texts that can be among its `k` best."""
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
        # Each on its own, whatever stands beside it: equal embeddings have equal cosines.
        return candidates, np.einsum("md,d->m", self.embeddings[candidates], query)


def _reached(cosines: NDArray[np.float32], k: int) -> np.float32:
    """Return what `k` of the cosines [m] reach, or all: hardly less than the `k`-th does."""
    groups = len(cosines) // GROUP
    if groups >= 4 * k:  # the best of each group will do, and there are far fewer
        cosines = cosines[: groups * GROUP].reshape(GROUP, groups).max(axis=0)
    k = min(k, len(cosines))
    return np.float32(np.partition(cosines, -k)[-k])
