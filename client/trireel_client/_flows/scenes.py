# SPDX-License-Identifier: Apache-2.0
"""From the output tensors of `scenes` to scene changes, scenes and signals.

A server that is older than this client answers with fewer tensors; the fields of the missing
tensors then have their defaults.
"""

import math
from collections.abc import Iterable

from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import Caption, SceneChange, SceneSignals, Shot, Tag
from trireel_client._flows.rows import Fields, Layout, columns, scored
from trireel_client._flows.tensors import (
    ANY,
    NUMBERS,
    TEXTS,
    check_frames,
    floats,
    integers,
    numbers,
    strings,
    take,
)
from trireel_client._options import Tensors

SHOT_TAGS = ("SCENE_TAG_TEXTS", "SCENE_TAG_SCORES", "SCENE_TAG_PROBABILITIES")
SHOT_CAPTIONS = ("SCENE_CAPTION_TEXTS", "SCENE_CAPTION_SCORES", "SCENE_CAPTION_PROBABILITIES")
CUT = "cut"


def chunk_scenes(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    """Yield the scene changes and the trace of each chunk; raises UnexpectedAnswer."""
    changes = _scene_changes(tensors)
    reported = {change.chunk_index for change in changes}
    is_one = len(layout.indices) == 1
    # A scene change may be reported with the chunk behind it.
    known = set(range(layout.indices[0] + 1)) if is_one else set(layout.indices)
    if not reported <= known:
        strays = sorted(reported - known)
        raise UnexpectedAnswer(f"the answer has scene changes in chunks it does not hold: {strays}")
    f = layout.frames[-1].stop
    check_frames(tensors, "SCENE_TRACE", f)
    trace = numbers(tensors, "SCENE_TRACE", f)
    for index, rows in zip(layout.indices, layout.frames, strict=True):
        yield {
            "scene_changes": tuple(
                change for change in changes if is_one or change.chunk_index == index
            ),
            "scene_trace": trace[rows],
        }


def reported_scenes(tensors: Tensors) -> Fields:
    """Return the scenes and the signals that an answer reports; raises UnexpectedAnswer."""
    return {"shots": _shots(tensors), "scene_signals": _signals(tensors)}


def scene_mode(tensors: Tensors) -> str:
    """Return the way in which scenes were found, empty if the answer does not hold it."""
    if "SCENE_MODE" not in tensors:
        return ""
    modes = strings("SCENE_MODE", take(tensors, "SCENE_MODE", (ANY,), TEXTS))
    return modes[0] if modes else ""


def _scene_changes(tensors: Tensors) -> list[SceneChange]:
    times = numbers(tensors, "SCENE_TIMESTAMPS", ANY)
    c = len(times)
    spans = _pairs(tensors, "SCENE_TRANSITIONS", c) or [(time, time) for time in times]
    rows = zip(
        times,
        numbers(tensors, "SCENE_SCORES", c),
        integers(tensors, "SCENE_CHUNK_INDICES", c),
        integers(tensors, "SCENE_FRAME_INDICES", c),
        spans,
        _texts(tensors, "SCENE_KINDS", c, CUT),
        _texts(tensors, "SCENE_REASONS", c, ""),
        strict=True,
    )
    return [
        SceneChange(
            timestamp_seconds=time,
            score=score,
            chunk_index=chunk,
            frame_index=frame,
            kind=kind,
            begin_seconds=begin,
            end_seconds=end,
            reason=reason,
        )
        for time, score, chunk, frame, (begin, end), kind, reason in rows
    ]


def _shots(tensors: Tensors) -> tuple[Shot, ...]:
    spans = _pairs(tensors, "SCENE_SPANS", ANY)
    if not spans:
        return ()
    s = len(spans)
    representatives = numbers(tensors, "SCENE_REPRESENTATIVE_SECONDS", s)
    tags, captions = _shot_tags(tensors, s), _shot_captions(tensors, s)
    return tuple(
        Shot(
            start_seconds=spans[i][0],
            end_seconds=spans[i][1],
            tags=tags[i],
            caption=captions[i],
            representative_seconds=representatives[i],
        )
        for i in range(s)
    )


def _shot_tags(tensors: Tensors, s: int) -> list[tuple[Tag, ...]]:
    if SHOT_TAGS[0] not in tensors:
        return [()] * s
    rows, k = take(tensors, SHOT_TAGS[0], (ANY, ANY)).shape
    if rows == 0 or k == 0:  # tags were not requested
        return [()] * s
    parts = columns(tensors, SHOT_TAGS, (s, k))
    return [scored(Tag, SHOT_TAGS, [part[i] for part in parts]) for i in range(s)]


def _shot_captions(tensors: Tensors, s: int) -> list[Caption | None]:
    if SHOT_CAPTIONS[0] not in tensors or len(take(tensors, SHOT_CAPTIONS[0], (ANY,))) == 0:
        return [None] * s
    captions = scored(Caption, SHOT_CAPTIONS, columns(tensors, SHOT_CAPTIONS, (s,)))
    return [caption if caption.text else None for caption in captions]


def _signals(tensors: Tensors) -> SceneSignals | None:
    if "SCENE_SIGNAL_TIMESTAMPS" not in tensors:
        return None
    times = numbers(tensors, "SCENE_SIGNAL_TIMESTAMPS", ANY)
    signals = take(tensors, "SCENE_SIGNALS", (len(times), 2), NUMBERS)
    if not times:
        return None
    scores = (float(str(score)) for score in signals[:, 1])
    return SceneSignals(
        timestamps_seconds=times,
        changes=floats("SCENE_SIGNALS", signals[:, 0]),
        transition_scores=tuple(None if math.isnan(score) else score for score in scores),
    )


def _pairs(tensors: Tensors, name: str, size: int) -> list[tuple[float, float]]:
    """Return the rows of a tensor [size, 2], none if the answer does not hold it."""
    if name not in tensors:
        return []
    rows = take(tensors, name, (size, 2), NUMBERS)
    pairs = list(zip(floats(name, rows[:, 0]), floats(name, rows[:, 1]), strict=True))
    for begin, end in pairs:
        if begin > end:
            raise UnexpectedAnswer(f"the answer's {name} has a span from {begin} to {end} s")
    return pairs


def _texts(tensors: Tensors, name: str, size: int, default: str) -> tuple[str, ...]:
    if name not in tensors:
        return (default,) * size
    return strings(name, take(tensors, name, (size,), TEXTS))
