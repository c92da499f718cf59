# SPDX-License-Identifier: Apache-2.0
"""From output tensors to results; docs/tensors.md describes the tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import UnexpectedAnswer
from trireel_client._options import Tensors
from trireel_client._results import (
    Analysis,
    Caption,
    ChunkAnalysis,
    SceneChange,
    ServerInfo,
    Tag,
    Timing,
    VideoSoFar,
)

ANY = -1  # a dimension of any size
# Kinds of NumPy's dtypes.
NUMBERS, INTEGERS, TEXTS = "fiu", "biu", "OSU"

# Texts, scores and probabilities, in the order of the fields of Tag and Caption.
VIDEO_TAGS = ("TAG_TEXTS", "TAG_SCORES", "TAG_PROBABILITIES")
VIDEO_CAPTION = ("CAPTION_TEXT", "CAPTION_SCORE", "CAPTION_PROBABILITY")
CHUNK_TAGS = ("CHUNK_TAG_TEXTS", "CHUNK_TAG_SCORES", "CHUNK_TAG_PROBABILITIES")
CHUNK_CAPTIONS = ("CHUNK_CAPTION_TEXTS", "CHUNK_CAPTION_SCORES", "CHUNK_CAPTION_PROBABILITIES")

_Text = TypeVar("_Text", Tag, Caption)


@dataclass(frozen=True)
class Plan:
    """The server's division of a video into chunks."""

    start_seconds: tuple[float, ...]
    """PTS at which each chunk begins."""
    duration_seconds: tuple[float, ...]
    """Length of each chunk."""
    video_duration_seconds: float
    """Length of the video."""


def is_aggregate(tensors: Tensors) -> bool:
    """Return whether a stream's answer covers the whole video."""
    return bool(_integer(tensors, "IS_AGGREGATE"))


def parse_analysis(
    tensors: Tensors, *, stream_id: str, server: ServerInfo, client_ms: float
) -> Analysis:
    """Return the analysis of a whole video; raises UnexpectedAnswer."""
    chunks = parse_chunks(tensors, num_chunks=_integer(tensors, "NUM_CHUNKS"))
    if len(chunks) != chunks[0].num_chunks:
        raise UnexpectedAnswer(
            f"the answer holds {len(chunks)} chunks of {chunks[0].num_chunks} planned"
        )
    video = parse_video(tensors)
    return Analysis(
        stream_id=stream_id,
        start_seconds=_number(tensors, "VIDEO_START_SECONDS"),
        duration_seconds=_number(tensors, "VIDEO_DURATION_SECONDS"),
        time_base=_time_base(tensors),
        stream_index=_integer(tensors, "STREAM_INDEX"),
        video_stream_indices=_integers(tensors, "VIDEO_STREAM_INDICES", ANY),
        decoder=_strings("DECODER", take(tensors, "DECODER", (1,), TEXTS))[0],
        tags=video.tags,
        caption=video.caption,
        scene_changes=tuple(cut for chunk in chunks for cut in chunk.scene_changes),
        chunks=chunks,
        timing=parse_timing(tensors),
        embedding_dim=_integer(tensors, "EMBEDDING_DIM"),
        server=server,
        client_ms=client_ms,
        is_complete=bool(_integer(tensors, "IS_COMPLETE")),
    )


def parse_chunk(tensors: Tensors, num_chunks: int | None = None) -> ChunkAnalysis:
    """Return the one chunk of an answer, with the video so far; raises UnexpectedAnswer.

    Args:
        num_chunks: number of chunks of the whole video, if the answer does not hold it.
    """
    if num_chunks is None:
        num_chunks = _integer(tensors, "NUM_CHUNKS")
    take(tensors, "CHUNK_INDICES", (1,))
    video = parse_video(tensors)
    (chunk,) = parse_chunks(tensors, num_chunks=num_chunks, video_so_far=video)
    return chunk


def parse_chunks(
    tensors: Tensors, *, num_chunks: int, video_so_far: VideoSoFar | None = None
) -> tuple[ChunkAnalysis, ...]:
    """Return the chunks of an answer; raises UnexpectedAnswer.

    Frames stand one after another, as many of each chunk as CHUNK_NUM_FRAMES says; cuts name the
    chunk they belong to.
    """
    indices = _integers(tensors, "CHUNK_INDICES", ANY)
    n = len(indices)
    if n == 0:
        raise UnexpectedAnswer("the answer holds no chunk")
    starts = _numbers(tensors, "CHUNK_START_SECONDS", n)
    durations = _numbers(tensors, "CHUNK_DURATION_SECONDS", n)
    tags = _tag_rows(tensors, n)
    captions = _texts(Caption, tensors, CHUNK_CAPTIONS, n)
    cuts = _cuts_by_chunk(tensors, indices)
    damaged = _integers(tensors, "CHUNK_DAMAGED_PACKETS", n)
    rows = _frame_rows(tensors, n)
    f = rows[-1].stop
    timestamps, trace = _numbers(tensors, "TIMESTAMPS", f), _numbers(tensors, "SCENE_TRACE", f)
    pts, time_base = _integers(tensors, "PTS", f), _time_base(tensors)
    embeddings = _embeddings(tensors, "CHUNK_EMBEDDINGS", n)
    frames = _embeddings(tensors, "EMBEDDINGS", f)
    return tuple(
        ChunkAnalysis(
            index=indices[i],
            start_seconds=starts[i],
            duration_seconds=durations[i],
            tags=tags[i],
            caption=captions[i],
            scene_changes=cuts[indices[i]],
            frame_timestamps_seconds=timestamps[rows[i]],
            frame_pts=pts[rows[i]],
            time_base=time_base,
            scene_trace=trace[rows[i]],
            damaged_packets=damaged[i],
            num_chunks=num_chunks,
            embedding=None if embeddings is None else embeddings[i],
            frame_embeddings=None if frames is None else frames[rows[i]],
            video_so_far=video_so_far,
        )
        for i in range(n)
    )


def parse_video(tensors: Tensors) -> VideoSoFar:
    """Return an answer's findings for the video so far; raises UnexpectedAnswer."""
    (caption,) = _texts(Caption, tensors, VIDEO_CAPTION, 1)
    return VideoSoFar(tags=_texts(Tag, tensors, VIDEO_TAGS, ANY), caption=caption)


def parse_timing(tensors: Tensors) -> Timing:
    """Return the server's time by stage; raises UnexpectedAnswer."""
    stages = _strings("TIMING_STAGES", take(tensors, "TIMING_STAGES", (ANY,), TEXTS))
    ms = dict(zip(stages, _numbers(tensors, "TIMING_MS", len(stages)), strict=True))
    try:
        return Timing(**{f"{stage}_ms": value for stage, value in ms.items()})
    except TypeError as error:
        raise UnexpectedAnswer(f"TIMING_STAGES are {', '.join(stages)}") from error


def parse_plan(tensors: Tensors) -> Plan:
    """Return the plan of chunks in an answer of `frame_extractor`; raises UnexpectedAnswer."""
    starts = _numbers(tensors, "PLAN_START_SECONDS", ANY)
    if not starts:
        raise UnexpectedAnswer("the chunk plan is empty")
    return Plan(
        start_seconds=starts,
        duration_seconds=_numbers(tensors, "PLAN_DURATION_SECONDS", len(starts)),
        video_duration_seconds=_number(tensors, "VIDEO_DURATION_SECONDS"),
    )


def take(
    tensors: Tensors, name: str, shape: tuple[int, ...], kinds: str | None = None
) -> NDArray[Any]:
    """Return a tensor after a check of its shape and its kind of dtype.

    Args:
        shape: expected shape; `ANY` fits every size.
        kinds: accepted kinds of NumPy's dtypes; None accepts all.

    Raises:
        UnexpectedAnswer: if the tensor is missing, or has another shape or kind.
    """
    tensor = tensors.get(name)
    if tensor is None:
        raise UnexpectedAnswer(f"the answer lacks {name}")
    fits = len(tensor.shape) == len(shape) and all(
        wanted in (ANY, got) for wanted, got in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        wanted_text = ", ".join("any" if size == ANY else str(size) for size in shape)
        raise UnexpectedAnswer(
            f"the answer's {name} has shape {list(tensor.shape)}, not [{wanted_text}]"
        )
    if kinds is not None and tensor.dtype.kind not in kinds:
        raise UnexpectedAnswer(f"the answer's {name} is of type {tensor.dtype}, which it never is")
    return tensor


def _embeddings(tensors: Tensors, name: str, size: int) -> NDArray[Any] | None:
    return take(tensors, name, (size, ANY), NUMBERS) if name in tensors else None


def _tag_rows(tensors: Tensors, n: int) -> list[tuple[Tag, ...]]:
    k = take(tensors, CHUNK_TAGS[0], (n, ANY)).shape[1]
    columns = _columns(tensors, CHUNK_TAGS, (n, k))
    return [_scored(Tag, CHUNK_TAGS, [column[i] for column in columns]) for i in range(n)]


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
    texts = _strings(names[0], columns[0])
    scores, probabilities = map(_floats, names[1:], columns[1:])
    rows = zip(texts, scores, probabilities, strict=True)
    return tuple(kind(text, score, probability) for text, score, probability in rows)


def _cuts_by_chunk(
    tensors: Tensors, chunk_indices: Sequence[int]
) -> dict[int, tuple[SceneChange, ...]]:
    times = _numbers(tensors, "SCENE_TIMESTAMPS", ANY)
    c = len(times)
    scores = _numbers(tensors, "SCENE_SCORES", c)
    chunks = _integers(tensors, "SCENE_CHUNK_INDICES", c)
    frames = _integers(tensors, "SCENE_FRAME_INDICES", c)
    strays = set(chunks) - set(chunk_indices)
    if strays:
        raise UnexpectedAnswer(f"the answer has cuts in chunks it does not hold: {sorted(strays)}")
    cuts = [SceneChange(*row) for row in zip(times, scores, chunks, frames, strict=True)]
    return {i: tuple(cut for cut in cuts if cut.chunk_index == i) for i in chunk_indices}


def _frame_rows(tensors: Tensors, n: int) -> list[slice]:
    """Return the slice of each chunk's frames: for chunks of 3 and 2 frames, 0:3 and 3:5."""
    counts = _integers(tensors, "CHUNK_NUM_FRAMES", n)
    if min(counts) < 1:
        raise UnexpectedAnswer(f"the answer has a chunk of {min(counts)} frames")
    f = sum(counts)
    for name in ("TIMESTAMPS", "PTS", "SCENE_TRACE"):
        size = len(take(tensors, name, (ANY,)))
        if size != f:
            raise UnexpectedAnswer(
                f"the answer's {name} holds {size} frames, its CHUNK_NUM_FRAMES make {f}"
            )
    return [slice(first, end) for first, end in pairwise(accumulate(counts, initial=0))]


def _time_base(tensors: Tensors) -> Fraction:
    numerator, denominator = _integers(tensors, "TIME_BASE", 2)
    if numerator < 1 or denominator < 1:
        raise UnexpectedAnswer(f"the answer's TIME_BASE is {numerator}/{denominator}")
    return Fraction(numerator, denominator)


def _number(tensors: Tensors, name: str) -> float:
    return _numbers(tensors, name, 1)[0]


def _numbers(tensors: Tensors, name: str, size: int) -> tuple[float, ...]:
    return _floats(name, take(tensors, name, (size,), NUMBERS))


def _integer(tensors: Tensors, name: str) -> int:
    return _integers(tensors, name, 1)[0]


def _integers(tensors: Tensors, name: str, size: int) -> tuple[int, ...]:
    return tuple(int(value) for value in take(tensors, name, (size,), INTEGERS))


def _floats(name: str, values: NDArray[Any]) -> tuple[float, ...]:
    """Return Python floats; a float32 by its shortest decimals: 0.9 rather than 0.899999976."""
    if not np.isfinite(values).all():
        raise UnexpectedAnswer(f"the answer's {name} holds what is not a finite number")
    if values.dtype == np.float32:
        return tuple(float(str(value)) for value in values)
    return tuple(float(value) for value in values)


def _strings(name: str, values: NDArray[Any]) -> tuple[str, ...]:
    try:
        return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in values)
    except UnicodeDecodeError as error:
        raise UnexpectedAnswer(f"the answer's {name} holds what is not UTF-8") from error
