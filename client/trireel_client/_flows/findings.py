# SPDX-License-Identifier: Apache-2.0
"""From the output tensors of each finding to the fields of results.

A new finding adds one row to `READERS`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from trireel_client._errors import UnexpectedAnswer
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
from trireel_client._results import (
    Caption,
    ChunkQuality,
    Interval,
    Quality,
    SceneChange,
    Tag,
)

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

Fields = Mapping[str, Any]
"""Some fields of a result, by their names."""

_Text = TypeVar("_Text", Tag, Caption)


@dataclass(frozen=True)
class Layout:
    """The chunks of an answer."""

    indices: tuple[int, ...]
    """Position of each chunk in the video."""
    frames: tuple[slice, ...]
    """Each chunk's stretch of the answer's frames."""


@dataclass(frozen=True)
class Reader:
    """Reads the tensors of one finding; both functions raise UnexpectedAnswer."""

    chunks: Callable[[Tensors, Layout], Iterable[Fields]]
    """Returns fields of `ChunkAnalysis` for each chunk."""
    video: Callable[[Tensors], Fields]
    """Returns fields that `VideoSoFar` and `Analysis` have in common."""


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


def _joined(parts: Iterable[Fields]) -> Fields:
    return {name: value for part in parts for name, value in part.items()}


def _chunk_tags(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    n = len(layout.indices)
    k = take(tensors, CHUNK_TAGS[0], (n, ANY)).shape[1]
    columns = _columns(tensors, CHUNK_TAGS, (n, k))
    for i in range(n):
        yield {"tags": _scored(Tag, CHUNK_TAGS, [column[i] for column in columns])}


def _video_tags(tensors: Tensors) -> Fields:
    return {"tags": _texts(Tag, tensors, VIDEO_TAGS, ANY)}


def _chunk_captions(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    for caption in _texts(Caption, tensors, CHUNK_CAPTIONS, len(layout.indices)):
        yield {"caption": caption}


def _video_caption(tensors: Tensors) -> Fields:
    (caption,) = _texts(Caption, tensors, VIDEO_CAPTION, 1)
    return {"caption": caption}


def _chunk_scenes(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    times = numbers(tensors, "SCENE_TIMESTAMPS", ANY)
    c = len(times)
    scores = numbers(tensors, "SCENE_SCORES", c)
    chunks = integers(tensors, "SCENE_CHUNK_INDICES", c)
    frames = integers(tensors, "SCENE_FRAME_INDICES", c)
    strays = set(chunks) - set(layout.indices)
    if strays:
        raise UnexpectedAnswer(f"the answer has cuts in chunks it does not hold: {sorted(strays)}")
    cuts = [SceneChange(*row) for row in zip(times, scores, chunks, frames, strict=True)]
    f = layout.frames[-1].stop
    check_frames(tensors, "SCENE_TRACE", f)
    trace = numbers(tensors, "SCENE_TRACE", f)
    for index, rows in zip(layout.indices, layout.frames, strict=True):
        yield {
            "scene_changes": tuple(cut for cut in cuts if cut.chunk_index == index),
            "scene_trace": trace[rows],
        }


def _video_scenes(tensors: Tensors) -> Fields:
    return {}  # the cuts of a whole video are those of its chunks


def _chunk_quality(tensors: Tensors, layout: Layout) -> Iterable[Fields]:
    n = len(layout.indices)
    for measures in zip(*(numbers(tensors, name, n) for name in CHUNK_QUALITY), strict=True):
        yield {"quality": ChunkQuality(*measures)}


def _video_quality(tensors: Tensors) -> Fields:
    black = _intervals(tensors, "QUALITY_BLACK_INTERVALS")
    return {"quality": Quality(black, _intervals(tensors, "QUALITY_FREEZE_INTERVALS"))}


READERS: Mapping[str, Reader] = {
    "tags": Reader(_chunk_tags, _video_tags),
    "caption": Reader(_chunk_captions, _video_caption),
    "scenes": Reader(_chunk_scenes, _video_scenes),
    "quality": Reader(_chunk_quality, _video_quality),
}
"""The findings that the client can read, by the names that FIND gives them."""


def _intervals(tensors: Tensors, name: str) -> tuple[Interval, ...]:
    rows = take(tensors, name, (ANY, 2), NUMBERS)
    begins, ends = floats(name, rows[:, 0]), floats(name, rows[:, 1])
    return tuple(zip(begins, ends, strict=True))


def _texts(
    kind: type[_Text], tensors: Tensors, names: Sequence[str], size: int
) -> tuple[_Text, ...]:
    shape = take(tensors, names[0], (size,)).shape
    return _scored(kind, names, _columns(tensors, names, shape))


def _columns(tensors: Tensors, names: Sequence[str], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    kinds = (TEXTS, NUMBERS, NUMBERS)
    return [take(tensors, name, shape, kind) for name, kind in zip(names, kinds, strict=True)]


def _scored(
    kind: type[_Text], names: Sequence[str], columns: Sequence[NDArray[Any]]
) -> tuple[_Text, ...]:
    texts = strings(names[0], columns[0])
    scores, probabilities = map(floats, names[1:], columns[1:])
    rows = zip(texts, scores, probabilities, strict=True)
    return tuple(kind(text, score, probability) for text, score, probability in rows)
