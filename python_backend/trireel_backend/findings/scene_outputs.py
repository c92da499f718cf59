# SPDX-License-Identifier: Apache-2.0
"""Output tensors of the finding `scenes`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.free_texts import check_width
from trireel_backend.findings.scene_options import SceneOptions
from trireel_backend.scenes.sampling import thinned
from trireel_backend.scenes.spans import Scene
from trireel_backend.scenes.track import Track
from trireel_backend.scenes.transitions import Transition
from trireel_backend.wire.tensors import texts
from trireel_schema import ranking
from trireel_schema.ranking import Ranking


def signal_tensors(track: Track | None, decided_seconds: float) -> dict[str, NDArray[Any]]:
    """Return the signals of the small frames that are decided now; each frame comes once.

    Args:
        track: the track with all frames of the chunk, None for no signals.
        decided_seconds: PTS up to which all transitions are now reported.
    """
    if track is None or len(track.seconds) == 0:
        return {
            "SCENE_SIGNAL_TIMESTAMPS": np.zeros(0),
            "SCENE_SIGNALS": np.zeros((0, 2), np.float32),
        }
    scores = np.full(len(track.seconds), np.nan, np.float32)
    scores[thinned(track.seconds)] = track.single
    now = (track.seconds > track.decided_seconds) & (track.seconds <= decided_seconds)
    return {
        "SCENE_SIGNAL_TIMESTAMPS": track.seconds[now],
        "SCENE_SIGNALS": np.stack([track.run.steps, scores], axis=1)[now],
    }


def event_tensors(
    events: Sequence[Transition], marks: Sequence[tuple[int, NDArray[np.float64]]]
) -> dict[str, NDArray[Any]]:
    """Return the tensors of transitions.

    Args:
        marks: index and PTS of the sampled frames of each chunk that may hold a transition.
    """
    places = [_place(event, marks) for event in events]
    return {
        "SCENE_TIMESTAMPS": np.array([event.seconds for event in events], np.float64),
        "SCENE_TRANSITIONS": np.array(
            [(event.begin_seconds, event.end_seconds) for event in events], np.float64
        ).reshape(-1, 2),
        "SCENE_KINDS": texts([event.kind for event in events]),
        "SCENE_SCORES": np.array([event.score for event in events], np.float32),
        "SCENE_REASONS": texts([event.reason for event in events]),
        "SCENE_CHUNK_INDICES": np.array([chunk for chunk, _ in places], np.int32),
        "SCENE_FRAME_INDICES": np.array([frame for _, frame in places], np.int32),
    }


def scene_tensors(
    scenes: Sequence[Scene], knowledge: Knowledge, options: SceneOptions
) -> dict[str, NDArray[Any]]:
    """Return the tensors of scenes that have ended, with their tags and captions."""
    embeddings = np.stack([scene.embedding for scene in scenes]) if scenes else None
    tags, captions = _ranked(embeddings, knowledge, options)
    k = min(options.tags.top_k, len((options.tags.tags or knowledge.bank.tags).texts))
    return {
        "SCENE_SPANS": np.array(
            [(scene.start_seconds, scene.end_seconds) for scene in scenes], np.float64
        ).reshape(-1, 2),
        "SCENE_TAG_TEXTS": texts([text for rank in tags for text in rank.texts]).reshape(-1, k),
        "SCENE_TAG_SCORES": _rows([rank.scores for rank in tags], k),
        "SCENE_TAG_PROBABILITIES": _rows([rank.probabilities for rank in tags], k),
        "SCENE_CAPTION_TEXTS": texts([rank.texts[0] for rank in captions]),
        "SCENE_CAPTION_SCORES": _rows([rank.scores for rank in captions], 1)[:, 0],
        "SCENE_CAPTION_PROBABILITIES": _rows([rank.probabilities for rank in captions], 1)[:, 0],
        "SCENE_REPRESENTATIVE_SECONDS": np.array(
            [scene.representative_seconds for scene in scenes], np.float64
        ),
    }


def _ranked(
    embeddings: NDArray[np.float32] | None, knowledge: Knowledge, options: SceneOptions
) -> tuple[list[Ranking], list[Ranking]]:
    if embeddings is None:
        return [], []
    tags = options.tags.tags or knowledge.bank.tags
    descriptions = options.descriptions or knowledge.bank.descriptions
    check_width("TAGS", options.tags.tags, knowledge.bank.tags)
    check_width("DESCRIPTIONS", options.descriptions, knowledge.bank.descriptions)
    return (
        ranking.rank(tags, embeddings, options.tags.top_k, knowledge.calibration),
        ranking.rank(descriptions, embeddings, 1, knowledge.calibration),
    )


def _rows(arrays: Sequence[NDArray[np.float32]], width: int) -> NDArray[np.float32]:
    return np.array(arrays, np.float32).reshape(-1, width)


def _place(event: Transition, marks: Sequence[tuple[int, NDArray[np.float64]]]) -> tuple[int, int]:
    """Return the chunk of a transition, and its first sampled frame that is not before it.

    A transition between the sampled frames of two chunks belongs to the later one.
    """
    for chunk, seconds in marks:
        if event.seconds <= seconds[-1]:
            return chunk, int(np.searchsorted(seconds, event.seconds))
    chunk, seconds = marks[-1]
    return chunk, len(seconds) - 1
