# SPDX-License-Identifier: Apache-2.0
"""The rows that one answer gives. They hold nothing that differs when it is analysed again."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_app.analyse.video import VideoResult
from trireel_app.jobs.job import RowKind
from trireel_client import Analysis, ChunkAnalysis, Tag

Row = dict[str, Any]

SEPARATOR = ", "
NOT_REPRODUCIBLE = ("client_ms", "timing", "stream_id")
IN_MANIFEST = ("server", "checkpoint_note")


def rows_of(result: VideoResult, kind: RowKind) -> list[Row]:
    """Return the rows of one video, in order. Embeddings are arrays, or missing."""
    makers = {
        RowKind.CLIPS: _clips,
        RowKind.VIDEOS: _video,
        RowKind.FRAMES: _frames,
    }
    return list(makers[kind](result.source.uri, result.analysis))


def json_row(row: Mapping[str, Any], kind: RowKind) -> Row:
    """Return a row for JSON: without embeddings, and of a clip only the five fields."""
    if kind is RowKind.CLIPS:
        return {name: row[name] for name in CLIP_FIELDS}
    if kind is RowKind.VIDEOS:
        return {"video_path": row["video_path"], **row["answer"]}
    return {name: value for name, value in row.items() if not isinstance(value, np.ndarray)}


CLIP_FIELDS = ("video_path", "clip_index", "start_sec", "end_sec", "summary")


def _clips(uri: str, analysis: Analysis) -> Iterator[Row]:
    for chunk in analysis.chunks:
        yield {
            "video_path": uri,
            "clip_index": chunk.index,
            "start_sec": chunk.start_seconds,
            "end_sec": chunk.end_seconds,
            "summary": _summary(chunk),
            "caption": None if chunk.caption is None else chunk.caption.text,
            "tags": _tags(chunk.tags),
            "num_cuts": len(chunk.scene_changes),
            "embedding": _array(chunk.embedding),
        }


def _frames(uri: str, analysis: Analysis) -> Iterator[Row]:
    for chunk in analysis.chunks:
        for i, pts in enumerate(chunk.frame_pts):
            embeddings = chunk.frame_embeddings
            yield {
                "video_path": uri,
                "clip_index": chunk.index,
                "frame_index": i,
                "pts": pts,
                "seconds": chunk.frame_timestamps_seconds[i],
                "embedding": None if embeddings is None else _array(embeddings[i]),
            }


def _video(uri: str, analysis: Analysis) -> Iterator[Row]:
    answer = analysis.to_json_dict()
    for name in (*NOT_REPRODUCIBLE, *IN_MANIFEST):
        answer.pop(name, None)
    yield {
        "video_path": uri,
        "start_sec": analysis.start_seconds,
        "end_sec": analysis.start_seconds + analysis.duration_seconds,
        "summary": SEPARATOR.join(tag.text for tag in analysis.tags),
        "caption": None if analysis.caption is None else analysis.caption.text,
        "tags": _tags(analysis.tags),
        "answer": answer,
    }


def _summary(chunk: ChunkAnalysis) -> str:
    if chunk.tags or chunk.caption is None:
        return SEPARATOR.join(tag.text for tag in chunk.tags)
    return chunk.caption.text


def _tags(tags: tuple[Tag, ...]) -> list[Row]:
    return [{"text": tag.text, "score": tag.score, "probability": tag.probability} for tag in tags]


def _array(embedding: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return None if embedding is None else np.ascontiguousarray(embedding, np.float32)
