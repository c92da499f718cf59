# SPDX-License-Identifier: Apache-2.0
"""From the output tensors of each finding to the fields of results.

A new finding adds one row to `READERS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trireel_client._findings import (
    Caption,
    ChunkQuality,
    Interval,
    Quality,
    SceneDescription,
    Tag,
)
from trireel_client._flows.caption_answers import screen_captions
from trireel_client._flows.objects import reported_objects
from trireel_client._flows.rows import Fields, Layout, columns, scored, scored_texts
from trireel_client._flows.scenes import chunk_scenes, reported_scenes
from trireel_client._flows.tensors import ANY, NUMBERS, TEXTS, floats, numbers, strings, take
from trireel_client._options import Tensors

# Texts, scores and probabilities, in the order of the fields of Tag and Caption.
VIDEO_TAGS = ("TAG_TEXTS", "TAG_SCORES", "TAG_PROBABILITIES")
VIDEO_CAPTION = ("CAPTION_TEXT", "CAPTION_SCORE", "CAPTION_PROBABILITY")
CHUNK_TAGS = ("CHUNK_TAG_TEXTS", "CHUNK_TAG_SCORES", "CHUNK_TAG_PROBABILITIES")
CHUNK_CAPTIONS = ("CHUNK_CAPTION_TEXTS", "CHUNK_CAPTION_SCORES", "CHUNK_CAPTION_PROBABILITIES")
# In the order of the fields of ChunkQuality.
CHUNK_QUALITY = (
    "CHUNK_QUALITY_BLACK_SHARES",
    "CHUNK_QUALITY_FROZEN_SHARES",
    "CHUNK_QUALITY_SHARPNESS",
    "CHUNK_QUALITY_LUMAS",
)


@dataclass(frozen=True)
class Reader:
    """Reads the tensors of one finding; the functions raise UnexpectedAnswer."""

    chunks: Callable[[Tensors, Layout], Iterable[Fields]]
    """Returns fields of `ChunkAnalysis` for each chunk."""
    video: Callable[[Tensors], Fields]
    """Returns fields that `VideoSoFar` and `Analysis` have in common."""
    reported: Callable[[Tensors], Fields] = lambda tensors: {}
    """Returns fields that `Analysis` and a `ChunkAnalysis` that comes alone have in common."""


def chunk_fields(tensors: Tensors, findings: Sequence[str], layout: Layout) -> list[Fields]:
    """Return the fields of `ChunkAnalysis` of some findings for each chunk of an answer.

    Raises:
        UnexpectedAnswer: if a tensor is missing, or does not fit the others.
    """
    # A newer server may make findings that this client cannot read.
    readers = [READERS[name] for name in findings if name in READERS]
    columns = [reader.chunks(tensors, layout) for reader in readers]
    # Without readers there are no rows to join, but there are chunks.
    rows = zip(*columns, strict=True) if columns else [()] * len(layout.indices)
    return [_joined(row) for row in rows]


def video_fields(tensors: Tensors, findings: Sequence[str]) -> Fields:
    """Return the fields of `VideoSoFar` of some findings; raises UnexpectedAnswer."""
    return _joined(READERS[name].video(tensors) for name in findings if name in READERS)


def reported_fields(tensors: Tensors, findings: Sequence[str]) -> Fields:
    """Return the fields that an answer reports as a whole; raises UnexpectedAnswer."""
    return _joined(READERS[name].reported(tensors) for name in findings if name in READERS)


def _joined(parts: Iterable[Fields]) -> Fields:
    return {name: value for part in parts for name, value in part.items()}


def _chunk_tags(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    n = len(layout.indices)
    k = take(tensors, CHUNK_TAGS[0], (n, ANY)).shape[1]
    parts = columns(tensors, CHUNK_TAGS, (n, k))
    for i in range(n):
        yield {"tags": scored(Tag, CHUNK_TAGS, [part[i] for part in parts])}


def _video_tags(tensors: Tensors) -> Fields:
    return {"tags": scored_texts(Tag, tensors, VIDEO_TAGS, ANY)}


def _chunk_captions(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    for caption in scored_texts(Caption, tensors, CHUNK_CAPTIONS, len(layout.indices)):
        yield {"caption": caption}


def _video_caption(tensors: Tensors) -> Fields:
    (caption,) = scored_texts(Caption, tensors, VIDEO_CAPTION, 1)
    return {"caption": caption}


def _chunk_quality(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    n = len(layout.indices)
    for measures in zip(*(numbers(tensors, name, n) for name in CHUNK_QUALITY), strict=True):
        yield {"quality": ChunkQuality(*measures)}


def _video_quality(tensors: Tensors) -> Fields:
    black = _intervals(tensors, "QUALITY_BLACK_INTERVALS")
    return {"quality": Quality(black, _intervals(tensors, "QUALITY_FREEZE_INTERVALS"))}


def _reported_text(tensors: Tensors) -> Fields:
    take(tensors, "TEXT_TEXTS", (ANY,))
    return {"captions": screen_captions(tensors)}


def _video_descriptions(tensors: Tensors) -> Fields:
    texts = take(tensors, "DESCRIPTION_TEXTS", (ANY,), TEXTS)
    begins = numbers(tensors, "DESCRIPTION_START_SECONDS", len(texts))
    ends = numbers(tensors, "DESCRIPTION_END_SECONDS", len(texts))
    rows = zip(strings("DESCRIPTION_TEXTS", texts), begins, ends, strict=True)
    (summary,) = strings("SUMMARY", take(tensors, "SUMMARY", (1,), TEXTS))
    return {"descriptions": tuple(SceneDescription(*row) for row in rows), "summary": summary}


def _no_chunk_fields(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    return ({} for _ in layout.indices)


READERS: Mapping[str, Reader] = {
    "tags": Reader(_chunk_tags, _video_tags),
    "caption": Reader(_chunk_captions, _video_caption),
    # The scene changes of a whole video are those of its chunks.
    "scenes": Reader(chunk_scenes, lambda tensors: {}, reported_scenes),
    "quality": Reader(_chunk_quality, _video_quality),
    "description": Reader(_no_chunk_fields, _video_descriptions),
    # A caption may begin in one chunk and end in another, so the answer reports it as a whole.
    "text": Reader(_no_chunk_fields, lambda tensors: {}, _reported_text),
    # One record holds the parts of a chunk and those of the video so far.
    "objects": Reader(_no_chunk_fields, lambda tensors: {}, reported_objects),
}
"""The findings that the client can read, by the names that FIND gives them."""


def _intervals(tensors: Tensors, name: str) -> tuple[Interval, ...]:
    rows = take(tensors, name, (ANY, 2), NUMBERS)
    begins, ends = floats(name, rows[:, 0]), floats(name, rows[:, 1])
    return tuple(zip(begins, ends, strict=True))
