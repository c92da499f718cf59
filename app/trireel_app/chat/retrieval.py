# SPDX-License-Identifier: Apache-2.0
"""From a question to the moments that an answer may speak of; none if nothing fits.

A moment fits if the checkpoint gives its best frame `LEAST_PROBABILITY` for the question's subject,
and if no other moment fits far better. It fits too if all words of the subject stand in what was
observed there: text on the screen, objects, descriptions. benchmarks/chat measures both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trireel_app.chat.question import Question
from trireel_app.chat.sightings import Sighting
from trireel_app.index.rows import SceneRow
from trireel_app.index.search import Moment, Query, search
from trireel_app.index.store import MomentStore
from trireel_app.index.where import SceneKey, Where, folded
from trireel_schema.vectors import Calibration

LEAST_PROBABILITY = 0.5
LEAST_LOGIT = math.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))
MOST_DROP_LOGITS = 4.0  # below the best moment: what fits far better is meant
CANDIDATES = 3  # times the moments that are returned: those that do not fit are left out


def sightings_for(
    store: MomentStore,
    question: Question,
    names: Mapping[str, str],
    embedding: NDArray[np.float32] | None,
    calibration: Calibration | None,
    limit: int,
) -> tuple[Sighting, ...]:
    """Return the moments that fit a question, best first.

    Args:
        names: name for citations of each video that is searched, by its id.
        embedding: [D] embedding of the question's subject; None if it has none.
        calibration: calibration of its cosines.
        limit: largest number of moments.

    Raises:
        LibraryError: if the index cannot be read.
    """
    if not names:
        return ()
    where = Where(videos=tuple(names))
    if question.at_seconds is not None:
        return _at(store, question.at_seconds, where, names, limit)
    if question.on_screen is not None:
        shown = replace(where, on_screen=question.on_screen)
        if moments := search(store, Query(where=shown), limit):
            return _sightings(store, moments, names)
    if not question.subject or embedding is None:
        return _overview(store, where, names, limit)
    query = Query(question.subject, embedding, calibration, where)
    moments = search(store, query, CANDIDATES * limit)
    likely = _likely(moments, calibration)
    observed = _observed(store, question.subject, moments)
    fitting = [
        moment if moment in likely else _where_observed(store, question.subject, moment)
        for moment in moments
        if moment in likely or moment in observed
    ]
    return _sightings(store, fitting[:limit], names)


def _likely(moments: Sequence[Moment], calibration: Calibration | None) -> list[Moment]:
    """Return the moments that a checkpoint gives a high probability, in their order."""
    if calibration is None:  # an older server
        return []
    logits = [calibration.scale * (moment.score or 0.0) + calibration.bias for moment in moments]
    least = max([LEAST_LOGIT, *(logit - MOST_DROP_LOGITS for logit in logits)])
    return [moment for moment, logit in zip(moments, logits, strict=True) if logit >= least]


def _observed(store: MomentStore, subject: str, moments: Sequence[Moment]) -> list[Moment]:
    """Return the moments in whose scenes all words of a subject were observed, in their order."""
    texts = ["\n".join((each.on_screen, *each.objects, each.description)) for each in moments]
    wanted, *words = store.words_of([subject, *texts])
    return [
        moment for moment, held in zip(moments, words, strict=True) if wanted and wanted <= held
    ]


def _where_observed(store: MomentStore, subject: str, moment: Moment) -> Moment:
    """Return the part of a moment's scene in which its objects or its text are seen.

    It is the whole scene if a description holds the words.
    """
    key = SceneKey(moment.video_id, moment.scene_index)
    words = folded(subject)
    shown = Where(
        scenes=(key,),
        objects=tuple(label for label in moment.objects if label in words),
        on_screen=words if words in moment.on_screen else None,
    )
    for where in (shown, Where(scenes=(key,))):
        if found := search(store, Query(where=where), 1):
            return replace(found[0], probability=moment.probability)
    return moment  # it was removed a moment ago


def _at(
    store: MomentStore, seconds: float, where: Where, names: Mapping[str, str], limit: int
) -> tuple[Sighting, ...]:
    """Return the scenes that are seen at a time."""
    found = [
        _scene_sighting(row, names, seconds)
        for row in _newest(store.scenes(where))
        if row.begin_seconds <= seconds < row.end_seconds
    ]
    return tuple(found[:limit])


def _overview(
    store: MomentStore, where: Where, names: Mapping[str, str], limit: int
) -> tuple[Sighting, ...]:
    """Return scenes that are spread evenly over all videos, in order."""
    rows = _newest(store.scenes(where))
    if not rows:
        return ()
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).round().astype(int))
    return tuple(
        _scene_sighting(rows[index], names, rows[index].representative_seconds) for index in chosen
    )


def _newest(rows: Sequence[SceneRow]) -> list[SceneRow]:
    """Return the newest row of each scene, in the order of the videos' addresses and of time."""
    newest = {row.video_id: row.added_ns for row in sorted(rows, key=lambda row: row.added_ns)}
    kept = [row for row in rows if row.added_ns == newest[row.video_id]]
    return sorted(kept, key=lambda row: (row.uri, row.video_id, row.begin_seconds))


def _sightings(
    store: MomentStore, moments: Sequence[Moment], names: Mapping[str, str]
) -> tuple[Sighting, ...]:
    if not moments:
        return ()
    keys = tuple({SceneKey(moment.video_id, moment.scene_index): None for moment in moments})
    rows = {row.key: row for row in _newest(store.scenes(Where(scenes=keys)))}
    found = []
    for moment in moments:
        row = rows.get(SceneKey(moment.video_id, moment.scene_index))
        if row is not None:  # otherwise the video was removed a moment ago
            sighting = _scene_sighting(row, names, moment.best_seconds)
            found.append(
                replace(
                    sighting,
                    start_seconds=moment.start_seconds,
                    end_seconds=moment.end_seconds,
                    probability=moment.probability,
                )
            )
    return tuple(found)


def _scene_sighting(row: SceneRow, names: Mapping[str, str], at_seconds: float) -> Sighting:
    # Tags and captions of low probability are guesses, which the words leave out.
    likely = set(row.words.splitlines())
    return Sighting(
        video_id=row.video_id,
        name=names[row.video_id],
        start_seconds=row.begin_seconds,
        end_seconds=row.end_seconds,
        at_seconds=at_seconds,
        probability=None,
        tags=tuple(tag for tag in row.tags if tag in likely),
        caption=row.caption if row.caption in likely else "",
        on_screen=row.on_screen,
        objects=row.objects,
        description=row.description,
        thumbnail=row.thumbnail,
        picture_seconds=row.representative_seconds,
    )
