# SPDX-License-Identifier: Apache-2.0
"""MultiDecoder: the embeddings of a chunk to tags, a caption and scene changes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve

from benchmarks.common.ray_pipeline import Chunk

SCENE_THRESHOLD = 0.15
EMA_KEPT = 0.9
TOP_TAGS = 5


@serve.deployment(max_ongoing_requests=4)
class MultiDecoder:
    """Holds the text bank; the state of a video travels with its requests."""

    def __init__(self, bank: Path) -> None:
        with np.load(bank) as texts:
            self._tags = texts["tag_texts"].tolist()
            self._tag_embeddings = texts["tag_embeddings"]
            self._descriptions = texts["description_texts"].tolist()
            self._description_embeddings = texts["description_embeddings"]

    def __call__(
        self,
        embeddings: NDArray[np.float32],
        chunk: Chunk,
        ema: NDArray[np.float32] | None,
    ) -> dict[str, Any]:
        """Return what is to be said of a chunk, its pooled embedding, and the EMA behind it."""
        pooled = embeddings.mean(axis=0)
        pooled = pooled / np.linalg.norm(pooled)
        tag_scores = self._tag_embeddings @ pooled
        description_scores = self._description_embeddings @ pooled
        best = int(np.argmax(description_scores))
        changes, ema = scene_changes(embeddings, chunk, ema)
        return {
            "tags": [
                {"text": self._tags[index], "score": float(tag_scores[index])}
                for index in np.argsort(tag_scores)[::-1][:TOP_TAGS]
            ],
            "retrieval_caption": {
                "text": self._descriptions[best],
                "score": float(description_scores[best]),
            },
            "scene_changes": changes,
            "pooled": pooled,
            "ema": ema,
        }


def scene_changes(
    embeddings: NDArray[np.float32], chunk: Chunk, ema: NDArray[np.float32] | None
) -> tuple[list[dict[str, Any]], NDArray[np.float32]]:
    """Return the frames [T, D] that differ from the moving average before them, and the new one."""
    ema = embeddings[0] if ema is None else ema
    changes = []
    for index, frame in enumerate(embeddings):
        score = max(0.0, 1.0 - float(frame @ ema))
        if score >= SCENE_THRESHOLD:
            offset_seconds = index / max(1, len(embeddings) - 1) * chunk.duration_seconds
            changes.append(
                {
                    "timestamp": round(chunk.start_seconds + offset_seconds, 3),
                    "score": round(score, 4),
                    "chunk_index": chunk.index,
                    "frame_index": index,
                }
            )
        ema = EMA_KEPT * ema + (1 - EMA_KEPT) * frame
        ema = ema / np.linalg.norm(ema)
    return changes, ema
