# SPDX-License-Identifier: Apache-2.0
"""New tags for videos of a library, from their stored embeddings: nothing is decoded.

The scores are those that the server would give: the same embeddings, ranked by the same code.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_app.library import Stretch, VideoRecord
from trireel_client import Tag
from trireel_schema.ranking import Ranking, rank
from trireel_schema.texts import TextSet
from trireel_schema.vectors import Calibration


def retagged(
    record: VideoRecord, texts: TextSet, calibration: Calibration, top_k: int
) -> VideoRecord:
    """Return a video's record with the best of other tags, in its answer too.

    Args:
        top_k: number of tags of the video and of each chunk and scene.
    """
    parts: list[Stretch] = [*record.chunks, *record.scenes]
    embeddings = np.stack([_mean(record.chunks), *(part.embedding for part in parts)])
    whole, *rankings = map(_tags, rank(texts, embeddings, top_k, calibration))
    of_chunks, of_scenes = rankings[: len(record.chunks)], rankings[len(record.chunks) :]
    answer = dict(record.answer)
    answer["tags"] = _plain(whole)
    for name, found in (("chunks", of_chunks), ("shots", of_scenes)):
        if len(answer.get(name) or ()) == len(found):
            answer[name] = [
                {**part, "tags": _plain(tags)}
                for part, tags in zip(answer[name], found, strict=True)
            ]
    return replace(
        record,
        chunks=tuple(
            replace(chunk, tags=tags) for chunk, tags in zip(record.chunks, of_chunks, strict=True)
        ),
        scenes=tuple(
            replace(scene, tags=tags) for scene, tags in zip(record.scenes, of_scenes, strict=True)
        ),
        answer=answer,
    )


def tags_as_json(record: VideoRecord) -> dict[str, Any]:
    """Return the tags of a video, its chunks and its scenes as plain values."""
    return {
        "video_id": record.video_id,
        "video": record.uri,
        "tags": list(record.answer.get("tags") or ()),
        "chunks": [_part(chunk) for chunk in record.chunks],
        "scenes": [_part(scene) for scene in record.scenes],
    }


def _mean(chunks: Sequence[Stretch]) -> NDArray[np.float32]:
    """Return the mean [D] of the chunks' embeddings, weighted by seconds, as the server does."""
    seconds = np.array([chunk.end_seconds - chunk.start_seconds for chunk in chunks])
    embeddings = np.stack([chunk.embedding for chunk in chunks]).astype(np.float64)
    mean: NDArray[np.float32] = (seconds @ embeddings / seconds.sum()).astype(np.float32)
    return mean


def _tags(ranking: Ranking) -> tuple[Tag, ...]:
    scores, probabilities = ranking.scores.tolist(), ranking.probabilities.tolist()
    return tuple(map(Tag, ranking.texts, scores, probabilities))


def _plain(tags: Sequence[Tag]) -> list[dict[str, Any]]:
    return [vars(tag) for tag in tags]


def _part(part: Stretch) -> dict[str, Any]:
    return {
        "start_seconds": part.start_seconds,
        "end_seconds": part.end_seconds,
        "tags": _plain(part.tags),
    }
