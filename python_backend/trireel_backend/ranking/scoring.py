# SPDX-License-Identifier: Apache-2.0
"""Cosines and probabilities between embeddings of pictures and of texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_NORM = 1e-12  # below it a vector has no direction and is left as it is


def normalise(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors [..., D] to unit length along the last axis."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, MIN_NORM), np.float32)


def pool(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the direction [D] of the mean of unit vectors [f, D]."""
    return normalise(embeddings.mean(axis=0, dtype=np.float64).astype(np.float32))


@dataclass(frozen=True)
class Calibration:
    """What turns a checkpoint's cosine into its probability."""

    scale: float
    """Temperature the checkpoint was trained with, already exponentiated."""
    bias: float

    def probabilities(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `sigmoid(scale * cosine + bias)`, SigLIP's own pairwise probability."""
        logits = self.scale * cosines.astype(np.float64) + self.bias
        # The sigmoid by way of tanh, which does not overflow where the logit is far from 0.
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), np.float32)


@dataclass(frozen=True)
class TextSet:
    """Texts and their embeddings: a bank, or the free texts of one request."""

    texts: tuple[str, ...]
    embeddings: NDArray[np.float32]
    """[m, D] unit length."""

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2 or len(self.embeddings) != len(self.texts) or not self.texts:
            raise ValueError(
                f"got {len(self.texts)} texts and embeddings {self.embeddings.shape}:"
                " a text set needs one embedding [D] a text and at least one text"
            )

    def cosines(
        self, embeddings: NDArray[np.float32], k: int
    ) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Return for each of `embeddings` [q, D] indices of texts, in order, and their cosines.

        The `k` best are among them, with all that equal them.
        """
        every = np.arange(len(self.texts))
        return [(every, self.embeddings @ embedding) for embedding in embeddings]


@dataclass(frozen=True)
class Ranking:
    """The best texts for a picture, a chunk or a video, best first."""

    texts: tuple[str, ...]
    scores: NDArray[np.float32]
    """[k] cosines."""
    probabilities: NDArray[np.float32]
    """[k] the checkpoint's own."""


def rank(
    texts: TextSet, embeddings: NDArray[np.float32], k: int, calibration: Calibration
) -> list[Ranking]:
    """Return for each of `embeddings` [q, D] the `k` texts of highest cosine, or all there are.

    An embedding may be a weighted mean of unit vectors: as the dot product is linear, its score is
    then the weighted mean of their cosines. Equal scores keep the order of the texts.
    """
    rankings = []
    for indices, cosines in texts.cosines(embeddings, k):
        best = _best_first(cosines, k)
        found, scores = indices[best], cosines[best]
        rankings.append(
            Ranking(
                tuple(texts.texts[index] for index in found),
                scores,
                calibration.probabilities(scores),
            )
        )
    return rankings


def _best_first(cosines: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return the indices of the `k` highest values, ties in order of index."""
    if k < len(cosines):
        # Only what can be among the best is sorted: a bank may hold 100,000 texts.
        threshold = np.partition(cosines, -k)[-k]
        candidates = np.flatnonzero(cosines >= threshold)
    else:
        candidates = np.arange(len(cosines))
    return candidates[np.argsort(-cosines[candidates], kind="stable")][:k]
