# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on embeddings: unit length, cosines, probabilities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_NORM = 1e-12  # a shorter vector has no direction and is left as it is


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors [..., D] to unit length along the last axis."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, MIN_NORM), np.float32)


def paired_cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine [N] of each row of `first` to the same row of `second`, both unit [N, D].

    The sums are in float64: a cosine near 1 is compared in its sixth decimal.
    """
    found: NDArray[np.float64] = (first * second).sum(axis=1, dtype=np.float64)
    return found


@dataclass(frozen=True)
class Calibration:
    """Turns the cosine of a picture and a text into the checkpoint's own probability."""

    scale: float
    """Temperature that the checkpoint was trained with, already exponentiated."""
    bias: float
    """Number added to the scaled cosine."""

    def probabilities(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `sigmoid(scale * cosine + bias)`, SigLIP's own pairwise probability."""
        logits = self.scale * cosines.astype(np.float64) + self.bias
        # The sigmoid by way of tanh, which does not overflow if the logit is far from 0.
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), np.float32)
