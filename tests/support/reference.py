# SPDX-License-Identifier: Apache-2.0
"""The replaced pipeline's algorithm, written plainly in NumPy and float64: an oracle.

It shares no code with the package. Two things differ from the pipeline on purpose: the average
restarts at a cut, and the video's tags are a mean over all chunks, weighted by duration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class ReferenceChunk:
    embeddings: NDArray[np.float64]
    timestamps: list[float]
    duration: float


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.sqrt((vector**2).sum())


def pooled(chunk: ReferenceChunk) -> NDArray[np.float64]:
    return unit(sum(row for row in chunk.embeddings) / len(chunk.embeddings))


def cuts(
    chunks: list[ReferenceChunk], threshold: float = 0.15, alpha: float = 0.1
) -> list[tuple[float, float, int, int]]:
    """Return (time, score, chunk index, frame index) of every scene change."""
    found = []
    ema = None
    for chunk_index, chunk in enumerate(chunks):
        for frame_index, frame in enumerate(chunk.embeddings):
            if ema is None:
                ema = frame
                continue
            score = max(0.0, 1.0 - sum(frame * ema))
            if score >= threshold:
                found.append((chunk.timestamps[frame_index], score, chunk_index, frame_index))
                ema = frame
            else:
                ema = unit((1 - alpha) * ema + alpha * frame)
    return found


def top(
    texts: list[str], embeddings: NDArray[np.float64], vector: NDArray[np.float64], k: int
) -> list[tuple[str, float]]:
    scores = [(text, float(sum(row * vector))) for text, row in zip(texts, embeddings, strict=True)]
    return sorted(scores, key=lambda scored: -scored[1])[:k]


def video_tags(
    chunks: list[ReferenceChunk], texts: list[str], embeddings: NDArray[np.float64], k: int
) -> list[tuple[str, float]]:
    """Weigh every tag's cosine in every chunk by the chunk's duration."""
    total = sum(chunk.duration for chunk in chunks)
    scores = []
    for text, row in zip(texts, embeddings, strict=True):
        weighted = sum(sum(row * pooled(chunk)) * chunk.duration for chunk in chunks)
        scores.append((text, float(weighted / total)))
    return sorted(scores, key=lambda scored: -scored[1])[:k]
