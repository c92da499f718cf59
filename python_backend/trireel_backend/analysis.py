# SPDX-License-Identifier: Apache-2.0
"""Orchestrating one whole video: chunks are encoded side by side and decoded strictly in order."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import RequestError
from trireel_backend.plan import Chunk
from trireel_backend.spans import EncodeAhead, EncodedChunk, EncodedSpan, TimedSpan
from trireel_backend.tensors import Tensors, scalar, stack_chunks, texts
from trireel_schema.stages import TIMING_STAGES, TOTAL

KEEP_SECONDS = 10.0
"""A sequence is told so often that its video goes on. Triton drops idle ones, by default after
300 s, and a large tower on a CPU may need longer for a span."""


@dataclass(frozen=True)
class VideoPlan:
    """What is known of a video before its first frame."""

    chunks: tuple[Chunk, ...]
    facts: Tensors = field(default_factory=dict)
    """What every answer says of the video: its start, length, streams."""
    waited_ns: int = 0
    """How long the look at the video waited for an extractor."""


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

    async def encode(
        self, request: "AnalysisRequest", chunks: Sequence[Chunk], *, keep_open: bool
    ) -> EncodedSpan:
        """Extract and encode some neighbouring chunks; any number of spans may be under way.

        Args:
            keep_open: another span will go on where this one ends.
        """

    async def decode(
        self, turn: Turn, chunk: Chunk, encoded: EncodedChunk, options: Tensors
    ) -> dict[str, NDArray[Any]]:
        """Decode a video's next chunk."""

    async def keep(self, turn: Turn, encoded: EncodedChunk) -> None:
        """Let the decoder keep a video's sequence; `encoded` is any of its chunks."""

    async def embed_texts(self, values: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings [m, D] of free texts."""


@dataclass(frozen=True)
class AnalysisRequest:
    """One whole video and what is asked of it."""

    video: str
    """Local path, already allowed."""
    chunk_seconds: float
    most_chunks: int = 1
    """Chunks whose frames fit into one request of the encoder."""
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
    busy_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMING_STAGES, 0.0))

    def add(self, stage: str, began_seconds: float) -> None:
        self.busy_ms[stage] += (time.monotonic() - began_seconds) * 1e3

    def add_encoding(self, encoded: TimedSpan) -> None:
        began_ns, ended_ns = encoded.span.extract_began_ns, encoded.span.extract_ended_ns
        self.busy_ms["extract"] += (ended_ns - began_ns) / 1e6
        self.busy_ms["encode"] += (encoded.ended_ns - ended_ns) / 1e6

    def tensors(self) -> Tensors:
        total_ms = (time.monotonic() - self.began) * 1e3 + self.busy_ms["fetch"]
        busy_ms = {**self.busy_ms, TOTAL: total_ms}
        milliseconds = np.array([busy_ms[stage] for stage in TIMING_STAGES])
        return {"TIMING_STAGES": texts(TIMING_STAGES), "TIMING_MS": milliseconds}


async def analyze_video(
    request: AnalysisRequest, stages: Stages, *, window: int
) -> AsyncGenerator[dict[str, NDArray[Any]], None]:
    """Yield the answer of each chunk in order, then that of the whole video.

    Args:
        window: spans of chunks that may be in the encoder at once: enough that the next is
            extracted while one is encoded and another decoded.

    Closing the iterator early stops the work: chunks not begun are never asked for, and the
    decoder's sequence is closed.
    """
    clock = _Clock()
    clock.busy_ms["fetch"] = request.fetch_ms
    plan = await stages.plan(request)
    options = await _with_free_tags(request, stages)
    encoding = EncodeAhead(
        partial(stages.encode, request),
        plan.chunks,
        window=window,
        most_chunks=request.most_chunks,
        waited_ns=plan.waited_ns,
    )
    sequence = _Sequence(stages, options, last_index=len(plan.chunks) - 1)
    answers: list[dict[str, NDArray[Any]]] = []
    try:
        for chunk in plan.chunks:
            encoded = await sequence.kept_until(encoding.next(clock.add_encoding))
            began = time.monotonic()
            answer = await sequence.decode(chunk, encoded)
            clock.add("decode", began)
            answers.append(_complete(answer, chunk, encoded, request, plan))
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

    async def kept_until(self, next_chunk: Coroutine[Any, Any, EncodedChunk]) -> EncodedChunk:
        """Wait for the next chunk, for as long as it takes."""
        coming = asyncio.ensure_future(next_chunk)
        while not (await asyncio.wait({coming}, timeout=KEEP_SECONDS))[0]:
            if self._open_at is not None:
                _, encoded = self._open_at
                with suppress(RequestError):  # which the next chunk will be told
                    await self._stages.keep(Turn(self._id, start=False, end=False), encoded)
        return coming.result()

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
        with suppress(RequestError):  # END went through with it, or the decoder is gone
            await self._stages.decode(turn, *self._open_at, self._options)


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
