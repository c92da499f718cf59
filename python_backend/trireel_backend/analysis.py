# SPDX-License-Identifier: Apache-2.0
"""Orchestrating one whole video: chunks are encoded side by side and decoded strictly in order."""

import asyncio
import math
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import RequestError
from trireel_backend.plan import Chunk
from trireel_backend.tensors import Tensors, scalar, stack_chunks, texts

SPAN_CHUNKS = 4  # neighbours that one extractor takes, so that little is decoded twice
STAGES = ("fetch", "extract", "encode", "decode", "total")


@dataclass(frozen=True)
class VideoPlan:
    """What is known of a video before its first frame."""

    chunks: tuple[Chunk, ...]
    facts: Tensors = field(default_factory=dict)
    """What every answer says of the video: its start, length, streams."""


@dataclass(frozen=True)
class EncodedChunk:
    """What the encoder says of a chunk."""

    embeddings: NDArray[np.float32]
    """[f, D] unit length."""
    facts: Tensors
    """What the answer says of the chunk's frames: TIMESTAMPS [f] and what else is known of them."""
    extract_began_ns: int
    """On the machine's monotonic clock, which all processes share."""
    extract_ended_ns: int


@dataclass(frozen=True)
class Turn:
    """A decoder call's place in its sequence."""

    correlation_id: str
    start: bool
    end: bool


class Stages(Protocol):
    """The models one whole video is put through."""

    async def plan(self, request: "AnalysisRequest") -> VideoPlan:
        """Look at the video and plan its chunks."""

    async def encode(self, request: "AnalysisRequest", chunk: Chunk) -> EncodedChunk:
        """Extract and encode one chunk; any number of them may be under way."""

    async def decode(
        self, turn: Turn, chunk: Chunk, encoded: EncodedChunk, options: Tensors
    ) -> dict[str, NDArray[Any]]:
        """Decode a video's next chunk."""

    async def embed_texts(self, values: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings [m, D] of free texts."""


@dataclass(frozen=True)
class AnalysisRequest:
    """One whole video and what is asked of it."""

    video: str
    """Local path, already allowed."""
    chunk_seconds: float
    sampling: Tensors = field(default_factory=dict)
    """Inputs of the extractor that the request sets, the same for every chunk."""
    options: Tensors = field(default_factory=dict)
    """Inputs of the decoder that the request sets, the same for every chunk."""
    tags: tuple[str, ...] = ()
    """Free texts scored instead of the bank's tags; none for the bank's."""
    with_embeddings: bool = False
    fetch_ms: float = 0.0
    """What it took to have the video as a local file."""


@dataclass
class _Clock:
    """Busy milliseconds of each stage, added up over chunks."""

    began: float = field(default_factory=time.monotonic)
    busy_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    def add(self, stage: str, began_seconds: float) -> None:
        self.busy_ms[stage] += (time.monotonic() - began_seconds) * 1e3

    def tensors(self) -> Tensors:
        total_ms = (time.monotonic() - self.began) * 1e3 + self.busy_ms["fetch"]
        busy_ms = {**self.busy_ms, "total": total_ms}
        return {"TIMING_STAGES": texts(STAGES), "TIMING_MS": np.array([busy_ms[s] for s in STAGES])}


async def analyze_video(
    request: AnalysisRequest, stages: Stages, *, num_lanes: int
) -> AsyncGenerator[dict[str, NDArray[Any]], None]:
    """Yield the answer of each chunk in order, then that of the whole video.

    Args:
        num_lanes: chunks that may be in the encoder at once: enough that the next is extracted
            while one is encoded and another decoded.

    Closing the iterator early stops the work: chunks not begun are never asked for, and the
    decoder's sequence is closed.
    """
    clock = _Clock()
    clock.busy_ms["fetch"] = request.fetch_ms
    plan = await stages.plan(request)
    options = await _with_free_tags(request, stages)
    encoding = _EncodeAhead(request, stages, plan.chunks, num_lanes)
    sequence = _Sequence(stages, options, last_index=len(plan.chunks) - 1)
    answers: list[dict[str, NDArray[Any]]] = []
    try:
        for chunk in plan.chunks:
            encoded = await encoding.next()
            _add_encode_times(clock, encoded)
            began = time.monotonic()
            answer = await sequence.decode(chunk, encoded.chunk)
            clock.add("decode", began)
            answers.append(_complete(answer, chunk, encoded.chunk, request, plan))
            yield _answer(answers[-1], clock, is_aggregate=False)
    finally:
        await encoding.finish()
        await sequence.close()
    yield _answer(stack_chunks(answers), clock, is_aggregate=True)


def _answer(tensors: Tensors, clock: _Clock, *, is_aggregate: bool) -> dict[str, NDArray[Any]]:
    return {**tensors, **clock.tensors(), "IS_AGGREGATE": scalar(is_aggregate, np.bool_)}


async def _with_free_tags(request: AnalysisRequest, stages: Stages) -> Tensors:
    if not request.tags:
        return request.options
    embeddings = await stages.embed_texts(request.tags)
    return {**request.options, "TAGS": texts(request.tags), "TAG_EMBEDDINGS": embeddings}


class _Sequence:
    """A video's turns in the decoder, from START to END whatever happens."""

    def __init__(self, stages: Stages, options: Tensors, last_index: int) -> None:
        self._stages = stages
        self._options = options
        self._last_index = last_index
        self._id = uuid.uuid4().hex
        self._open_at: tuple[Chunk, EncodedChunk] | None = None

    async def decode(self, chunk: Chunk, encoded: EncodedChunk) -> dict[str, NDArray[Any]]:
        """Decode the next chunk."""
        turn = Turn(self._id, start=chunk.index == 0, end=chunk.index == self._last_index)
        self._open_at = None if turn.end else (chunk, encoded)
        return await self._stages.decode(turn, chunk, encoded, self._options)

    async def close(self) -> None:
        """Free the decoder's slot of a video given up: a chunk sent again, with END."""
        if self._open_at is None:
            return
        turn = Turn(self._id, start=False, end=True)
        try:
            await self._stages.decode(turn, *self._open_at, self._options)
        except RequestError:
            pass  # END went through with it, or the decoder is gone


@dataclass(frozen=True)
class _TimedEncoding:
    chunk: EncodedChunk
    ended_ns: int


class _EncodeAhead:
    """Keeps chunks in several lanes of the encoder and hands them out in order.

    A lane takes spans of neighbouring chunks, one after the other: the extractor that had the last
    chunk is the one that is free, and goes on where it was.
    """

    def __init__(
        self, request: AnalysisRequest, stages: Stages, chunks: Sequence[Chunk], num_lanes: int
    ) -> None:
        self._request = request
        self._stages = stages
        self._lanes = _in_lanes(chunks, num_lanes)
        self._busy: set[int] = set()
        self._encodings: dict[int, asyncio.Task[_TimedEncoding]] = {}
        self._due = 0
        self._most_ahead = SPAN_CHUNKS * num_lanes
        self._failed_at = len(chunks)

    async def next(self) -> _TimedEncoding:
        self._fill()
        encoded = await self._encodings[self._due]
        del self._encodings[self._due]
        self._due += 1
        self._fill()
        return encoded

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is under way; what comes of it interests nobody.

        A call of another model cannot be taken back, and it still reads the video's file.
        """
        self._lanes.clear()
        await asyncio.gather(*self._encodings.values(), return_exceptions=True)

    def _fill(self) -> None:
        """Put the next chunk into every lane that is free, but none far ahead of what is due."""
        end = min(self._due + self._most_ahead, self._failed_at)
        for number, lane in enumerate(self._lanes):
            if number in self._busy or not lane or lane[0].index >= end:
                continue
            self._busy.add(number)
            chunk = lane.popleft()
            self._encodings[chunk.index] = asyncio.ensure_future(self._encode(chunk, number))

    async def _encode(self, chunk: Chunk, lane: int) -> _TimedEncoding:
        try:
            encoded = await self._stages.encode(self._request, chunk)
        except BaseException:
            self._failed_at = min(self._failed_at, chunk.index)  # nobody wants what follows
            raise
        ended_ns = time.monotonic_ns()
        self._busy.remove(lane)
        self._fill()
        return _TimedEncoding(encoded, ended_ns)


def _in_lanes(chunks: Sequence[Chunk], num_lanes: int) -> list[deque[Chunk]]:
    """Deal a video's chunks to lanes in spans, which are shorter where there are few chunks."""
    span = min(SPAN_CHUNKS, math.ceil(len(chunks) / num_lanes))
    lanes: list[deque[Chunk]] = [deque() for _ in range(num_lanes)]
    for chunk in chunks:
        lanes[chunk.index // span % num_lanes].append(chunk)
    return lanes


def _add_encode_times(clock: _Clock, encoded: _TimedEncoding) -> None:
    began_ns, ended_ns = encoded.chunk.extract_began_ns, encoded.chunk.extract_ended_ns
    clock.busy_ms["extract"] += (ended_ns - began_ns) / 1e6
    clock.busy_ms["encode"] += (encoded.ended_ns - ended_ns) / 1e6


def _complete(
    answer: dict[str, NDArray[Any]],
    chunk: Chunk,
    encoded: EncodedChunk,
    request: AnalysisRequest,
    plan: VideoPlan,
) -> dict[str, NDArray[Any]]:
    """Add to the decoder's answer what the orchestrator knows of chunk and video."""
    complete = {
        **answer,
        "CHUNK_START_SECONDS": scalar(chunk.start_seconds, np.float64),
        "CHUNK_DURATION_SECONDS": scalar(chunk.duration_seconds, np.float64),
        **plan.facts,
        **encoded.facts,
        "NUM_CHUNKS": scalar(len(plan.chunks), np.int32),
        "EMBEDDING_DIM": scalar(encoded.embeddings.shape[1], np.int32),
    }
    if request.with_embeddings:
        complete["EMBEDDINGS"] = encoded.embeddings
    else:
        complete.pop("CHUNK_EMBEDDINGS", None)
    return complete
