# SPDX-License-Identifier: Apache-2.0
"""Cosines and probabilities between embeddings of pictures and of texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_schema.texts import TextSet
from trireel_schema.vectors import Calibration, unit


def pool(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the direction [D] of the mean of unit vectors [f, D]."""
    return unit(embeddings.mean(axis=0, dtype=np.float64).astype(np.float32))


@dataclass(frozen=True)
class Ranking:
    """The best texts for a picture, a chunk or a video, best first."""

    texts: tuple[str, ...]
    scores: NDArray[np.float32]
    """[k] cosines."""
    probabilities: NDArray[np.float32]
    """[k] the checkpoint's own probabilities."""


def rank(
    texts: TextSet, embeddings: NDArray[np.float32], k: int, calibration: Calibration
) -> list[Ranking]:
    """Return, for each of `embeddings` [q, D], the `k` texts of highest cosine, or all if fewer.

    An embedding may be a weighted mean of unit vectors: as the dot product is linear, its score is
    then the weighted mean of their cosines. Equal scores keep the order of the texts.
    """
    rankings = []
    for indices, cosines in texts.cosines(embeddings, k):
        best = _best_first(cosines, k)
        ranked, scores = indices[best], cosines[best]
        rankings.append(
            Ranking(
                tuple(texts.texts[index] for index in ranked),
                scores,
                calibration.probabilities(scores),
            )
        )
    return rankings


def _best_first(cosines: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return the indices of the `k` highest values, ties in order of index."""
    if k < len(cosines):
        # Sort only the candidates: a bank may hold 100,000 texts.
        threshold = np.partition(cosines, -k)[-k]
        candidates = np.flatnonzero(cosines >= threshold)
    else:
        candidates = np.arange(len(cosines))
    return candidates[np.argsort(-cosines[candidates], kind="stable")][:k]
