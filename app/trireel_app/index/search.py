# SPDX-License-Identifier: Apache-2.0
"""The search over moments: embeddings and words together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trireel_app.index.moments import Stretch, stretches
from trireel_app.index.rows import SceneRow
from trireel_app.index.store import MomentStore
from trireel_app.index.where import SceneKey, Where
from trireel_schema.vectors import Calibration

FRAMES_A_MOMENT = 10  # frames come in runs that are nearly equal
MOST_FRAMES = 2000
SCENES_A_MOMENT = 3  # whose frames are all read: those behind them rarely have a better rank
SCENES_WITH_WORDS = 50
DROP_LOGITS = 2.0  # of a frame below its scene's best frame that still belongs to the moment
DROP_LIKE = 0.05  # the same as a cosine of two pictures
WORDS_LOGITS = 3.0  # that a moment gains if its texts hold all words of the query
NO_CALIBRATION = Calibration(1 / DROP_LIKE * DROP_LOGITS, 0.0)


@dataclass(frozen=True)
class Query:
    """What a search looks for."""

    text: str = ""
    """Text whose words are looked for too; empty if the query is a picture."""
    embedding: NDArray[np.float32] | None = None
    """[D] embedding of the text or picture, unit length; None to list moments by conditions."""
    calibration: Calibration | None = None
    """Calibration of a text's cosines; None for a picture, which has no probability."""
    where: Where = field(default_factory=Where)
    """Conditions on the moments."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A stretch of a video that fits a query."""

    video_id: str
    """Id of the video."""
    uri: str
    """Address of the video."""
    start_seconds: float
    """PTS at which the moment begins."""
    end_seconds: float
    """PTS at which the moment ends."""
    best_seconds: float
    """PTS of the frame that fits best."""
    score: float | None
    """Cosine of that frame to the query, -1 to 1; None if the query has no embedding."""
    probability: float | None
    """Probability that the checkpoint gives for that cosine, 0 to 1; None for pictures."""
    words_share: float
    """Share of the query's words that the scene's texts hold, 0 to 1."""
    scene_index: int
    """Index of the scene in the video."""
    tags: tuple[str, ...]
    """Tags of the scene, best first."""
    caption: str
    """Caption of the scene; empty if there is none."""
    on_screen: str
    """Text on the screen in the scene, in small letters; empty if there is none."""
    objects: tuple[str, ...]
    """Labels of the objects that are seen in the scene."""
    description: str
    """Descriptions of the scene, one a line; empty if it was not described."""
    thumbnail: str
    """Name of the scene's picture in the library; empty if there is none."""
    picture_seconds: float
    """PTS of that picture, which stands for the whole scene."""


def search(store: MomentStore, query: Query, limit: int) -> list[Moment]:
    """Return the moments that fit a query, best first.

    The rank is the logit of the checkpoint's probability, plus `WORDS_LOGITS` times the share of
    the query's words that the scene's texts hold. Without an embedding, moments are scenes, in the
    order of the videos' addresses and of time.

    Args:
        limit: largest number of moments.

    Raises:
        LibraryError: if the index cannot be read.
    """
    if query.embedding is None:
        return _listed(store, query.where, limit)
    found = store.search(query.embedding, query.where, min(MOST_FRAMES, limit * FRAMES_A_MOMENT))
    best = list(dict.fromkeys(found.scenes))[: limit * SCENES_A_MOMENT]
    keys = dict.fromkeys(best)
    if query.text:
        worded = store.scenes_with_words(query.text, query.where, SCENES_WITH_WORDS)
        keys.update(dict.fromkeys(row.key for row in worded))
    if not keys:
        return []
    # All frames of the scenes, so that a moment ends where its frames stop to fit.
    frames = store.frames(replace(query.where, scenes=tuple(keys)))
    cosines = frames.embeddings @ query.embedding
    calibration = query.calibration or NO_CALIBRATION
    parts = stretches(frames, cosines, DROP_LOGITS / calibration.scale)
    scenes = _newest(store.scenes(Where(scenes=tuple({part.scene: None for part in parts}))))
    shares = _shares(store, query.text, list(scenes.values()))
    ranked = sorted(
        parts,
        key=lambda part: (
            -(calibration.scale * part.cosine + WORDS_LOGITS * shares.get(part.scene, 0.0))
        ),
    )
    known = [part for part in ranked if part.scene in scenes]
    return [
        _moment(part, scenes[part.scene], shares[part.scene], query.calibration)
        for part in known[:limit]
    ]


def _listed(store: MomentStore, where: Where, limit: int) -> list[Moment]:
    frames = store.frames(where)
    parts = stretches(frames, np.zeros(len(frames.scenes), np.float32), 0.0)
    scenes = _newest(store.scenes(Where(scenes=tuple({part.scene: None for part in parts}))))
    known = [part for part in parts if part.scene in scenes]
    known.sort(key=lambda part: (scenes[part.scene].uri, part.begin_seconds))
    return [_moment(part, scenes[part.scene], 0.0, None, scored=False) for part in known[:limit]]


def _newest(rows: Sequence[SceneRow]) -> dict[SceneKey, SceneRow]:
    return {row.key: row for row in sorted(rows, key=lambda row: row.added_ns)}


def _shares(store: MomentStore, text: str, scenes: Sequence[SceneRow]) -> dict[SceneKey, float]:
    """Return the share of a text's words that the texts of each scene hold, 0 to 1."""
    if not text or not scenes:
        return {row.key: 0.0 for row in scenes}
    wanted, *held = store.words_of([text, *(row.words for row in scenes)])
    return {
        row.key: len(wanted & words) / max(1, len(wanted))
        for row, words in zip(scenes, held, strict=True)
    }


def _moment(
    part: Stretch,
    scene: SceneRow,
    words_share: float,
    calibration: Calibration | None,
    *,
    scored: bool = True,
) -> Moment:
    probability = None
    if calibration is not None:
        cosine = np.array([part.cosine], np.float32)
        probability = float(calibration.probabilities(cosine)[0])
    return Moment(
        video_id=scene.video_id,
        uri=scene.uri,
        start_seconds=part.begin_seconds,
        end_seconds=part.end_seconds,
        best_seconds=part.best_seconds,
        score=part.cosine if scored else None,
        probability=probability,
        words_share=words_share,
        scene_index=scene.scene_index,
        tags=scene.tags,
        caption=scene.caption,
        on_screen=scene.on_screen,
        objects=scene.objects,
        description=scene.description,
        thumbnail=scene.thumbnail,
        picture_seconds=scene.representative_seconds,
    )
