# SPDX-License-Identifier: Apache-2.0
"""From the client's answer to the record of a video."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_app.errors import LibraryError
from trireel_app.library.identity import video_id_of
from trireel_app.library.records import Checkpoint, Frames, Label, Scene, Stretch, VideoRecord
from trireel_app.sources.source import normal_uri
from trireel_client import Analysis
from trireel_schema.ranking import pool

NOT_REPRODUCIBLE = ("timing", "client_ms", "stream_id")


def record_of(
    source: str,
    analysis: Analysis,
    weights_sha256: str,
    *,
    thumbnails: Sequence[bytes] = (),
    facts: Mapping[str, Any] | None = None,
    video_id: str | None = None,
) -> VideoRecord:
    """Return the record of an analysed video.

    Args:
        source: path or URI of the video.
        analysis: answer that has embeddings.
        weights_sha256: hash of the weights of the server that answered.
        thumbnails: JPEG of each scene, or nothing.
        facts: further facts about how the results were made.
        video_id: id in the library; None for the one that is made of the source's address.

    Raises:
        LibraryError: if the answer has no embeddings.
        InvalidOption: if the URI has an unknown scheme, or holds a credential.
    """
    frames = _frames(analysis)
    answer = analysis.to_json_dict()
    for name in NOT_REPRODUCIBLE:
        answer.pop(name, None)
    for chunk in answer["chunks"]:
        chunk.pop("embedding", None)
        chunk.pop("frame_embeddings", None)
    return VideoRecord(
        video_id=video_id_of(source) if video_id is None else video_id,
        uri=normal_uri(source),
        start_seconds=analysis.start_seconds,
        duration_seconds=analysis.duration_seconds,
        checkpoint=Checkpoint(analysis.checkpoint, weights_sha256, analysis.embedding_dim),
        frames=frames,
        chunks=_chunks(analysis),
        scenes=_scenes(analysis, frames, thumbnails),
        labels=tuple(_labels(analysis)),
        facts=facts or {},
        answer=answer,
    )


def _frames(analysis: Analysis) -> Frames:
    parts = [chunk.frame_embeddings for chunk in analysis.chunks]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or not found:
        raise LibraryError("the answer has no embeddings: analyse the video with them")
    seconds = np.array([t for chunk in analysis.chunks for t in chunk.frame_timestamps_seconds])
    starts = np.array([shot.start_seconds for shot in analysis.shots])
    # A frame before the first scene's start, by rounding, is the first scene's.
    scenes = np.searchsorted(starts, seconds, side="right") - 1
    return Frames(
        seconds,
        np.array([pts for chunk in analysis.chunks for pts in chunk.frame_pts], np.int64),
        np.repeat([chunk.index for chunk in analysis.chunks], list(map(len, found))).astype(
            np.int32
        ),
        (np.maximum(scenes, 0) if len(starts) else scenes).astype(np.int32),
        np.concatenate(found),
    )


def _chunks(analysis: Analysis) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            start_seconds=chunk.start_seconds,
            end_seconds=chunk.end_seconds,
            tags=chunk.tags,
            caption=chunk.caption,
            embedding=chunk.embedding,
        )
        for chunk in analysis.chunks
        if chunk.embedding is not None
    )


def _scenes(analysis: Analysis, frames: Frames, thumbnails: Sequence[bytes]) -> tuple[Scene, ...]:
    pictures = [*thumbnails, *[None] * (len(analysis.shots) - len(thumbnails))]
    return tuple(
        Scene(
            start_seconds=shot.start_seconds,
            end_seconds=shot.end_seconds,
            tags=shot.tags,
            caption=shot.caption,
            representative_seconds=shot.representative_seconds,
            thumbnail=pictures[index],
            embedding=_scene_embedding(analysis, frames, index),
        )
        for index, shot in enumerate(analysis.shots)
    )


def _scene_embedding(analysis: Analysis, frames: Frames, index: int) -> NDArray[np.float32]:
    """Return the embedding [D] by which the server chooses the tags of a scene.

    Frames within the transition at the scene's end do not count, unless it has no others. If none
    of its frames was sampled, the sampled frame before it stands for it.
    """
    shot = analysis.shots[index]
    seconds = frames.timestamps_seconds
    settled_seconds = next(
        (
            change.begin_seconds
            for change in analysis.scene_changes
            if change.timestamp_seconds == shot.end_seconds
        ),
        shot.end_seconds,
    )
    inside = frames.scene_indices == index
    if (inside & (seconds < settled_seconds)).any():
        inside &= seconds < settled_seconds
    chosen = frames.embeddings[inside]
    if len(chosen) == 0:
        before = max(0, int(np.searchsorted(seconds, shot.start_seconds)) - 1)
        nearest: NDArray[np.float32] = frames.embeddings[before]
        return nearest
    return pool(chosen)


def _labels(analysis: Analysis) -> Iterator[Label]:
    """Yield objects, texts on the screen and descriptions, as far as they were requested."""
    if analysis.objects is not None:
        best: dict[str, float] = {}
        for found in analysis.objects.detections:
            best[found.label] = max(best.get(found.label, 0.0), found.score)
        for seen in analysis.objects.labels_on_screen:
            for interval in seen.intervals:
                yield Label(
                    kind="object",
                    text=seen.label,
                    start_seconds=interval.start_seconds,
                    end_seconds=interval.end_seconds,
                    score=best.get(seen.label, 1.0),
                )
    for caption in analysis.captions:
        yield Label(
            kind="text",
            text=caption.text,
            start_seconds=caption.start_seconds,
            end_seconds=caption.last_frame_seconds,
            score=caption.confidence,
        )
    for description in analysis.descriptions:
        yield Label(
            kind="description",
            text=description.text,
            start_seconds=description.start_seconds,
            end_seconds=description.end_seconds,
            score=1.0,
        )
