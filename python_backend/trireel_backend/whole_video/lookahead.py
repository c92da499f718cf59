# SPDX-License-Identifier: Apache-2.0
"""Encoding chunks ahead of the decoder, in spans of neighbouring chunks."""

import asyncio
import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.wire.tensors import Tensors, split_chunks
from trireel_backend.wire.views import split_views

SPAN_CHUNKS = 4
CROWDED_NS = 10_000_000
"""If a span waits longer than this for an extractor, other videos keep the extractors busy."""


@dataclass(frozen=True)
class EncodedChunk:
    """The encoder's output for one chunk."""

    embeddings: NDArray[np.float32]
    """[f, D] embeddings of the chunk's frames, unit length."""
    facts: Tensors
    """Tensors that describe the chunk's frames: TIMESTAMPS [f] and others."""
    views: Tensors = field(default_factory=dict)
    """Frames of second views, as tensors for the temporal decoder."""


@dataclass(frozen=True)
class EncodedSpan:
    """The encoder's output for some neighbouring chunks."""

    embeddings: NDArray[np.float32]
    """[f, D] embeddings of the frames of all chunks, unit length."""
    facts: Tensors
    """CHUNK_NUM_FRAMES [n] and others: per chunk (CHUNK_...), per frame, or for the whole span."""
    extract_began_ns: int
    """Start of the extraction on the machine's monotonic clock, which all processes share."""
    extract_ended_ns: int
    """End of the extraction on the same clock."""
    views: Tensors = field(default_factory=dict)
    """Frames of second views of all chunks, as tensors."""

    def chunks(self) -> Iterator[EncodedChunk]:
        """Yield the output for each chunk."""
        chunks = split_chunks({**self.facts, "EMBEDDINGS": self.embeddings})
        views = split_views(self.views) if self.views else itertools.repeat({})
        for facts, chunk_views in zip(chunks, views, strict=False):
            yield EncodedChunk(facts.pop("EMBEDDINGS"), facts, chunk_views)


@dataclass(frozen=True)
class TimedSpan:
    """A span, with the times of its request and its end on the machine's monotonic clock."""

    span: EncodedSpan
    requested_ns: int
    """Time at which the span was requested."""
    ended_ns: int
    """Time at which the span was encoded."""

    @property
    def waited_ns(self) -> int:
        """Time that the span waited for an extractor, in nanoseconds."""
        return self.span.extract_began_ns - self.requested_ns


class Encode(Protocol):
    """Extracts and encodes some neighbouring chunks: `pipeline.Stages.encode` of one video."""

    async def __call__(self, chunks: Sequence[Chunk], *, keep_open: bool) -> EncodedSpan:
        """Return the encoded chunks; without `keep_open` the extractor closes the video."""


def spans(
    chunks: Sequence[Chunk], window: int, most_chunks: int, first_chunks: int = 1
) -> Iterator[Sequence[Chunk]]:
    """Cut a video's chunks into spans of neighbours, each extracted and encoded in one request.

    Within a span an extractor continues from chunk to chunk, but it has to seek to the start of a
    span. The first spans are short, so that the first answer comes soon. No span takes more than
    its share of the rest, so that the whole window has work until the end.

    Args:
        window: number of spans in flight at once.
        most_chunks: most chunks whose frames fit into one request.
        first_chunks: length of the first spans, if the video is long enough for all of them.
    """
    begin, length = 0, first_chunks
    while begin < len(chunks):
        for _ in range(window):
            share = math.ceil((len(chunks) - begin) / window)
            end = begin + min(length, SPAN_CHUNKS, most_chunks, max(1, share))
            if begin < len(chunks):
                yield chunks[begin:end]
            begin = end
        length *= 2


class EncodeAhead:
    """Keeps spans of chunks in the encoder and returns their chunks in order.

    While extractors are idle, up to `window` spans of the video are in flight. While other videos
    keep the extractors busy, only one span is in flight, as long as allowed: parallel spans would
    not finish sooner, and each extractor would have to seek into the video.
    """

    def __init__(
        self,
        encode: Encode,
        chunks: Sequence[Chunk],
        *,
        window: int,
        most_chunks: int,
        waited_ns: int = 0,
    ) -> None:
        """Cut the chunks into spans.

        Args:
            waited_ns: time that the video has just waited for an extractor.
        """
        self._encode_span = encode
        self._window = window
        self._most_chunks = most_chunks
        self._running: deque[asyncio.Task[TimedSpan]] = deque()
        self._ready: deque[EncodedChunk] = deque()
        self._plan(chunks, is_crowded=waited_ns > CROWDED_NS)

    async def next(self, arrived: Callable[[TimedSpan], None]) -> EncodedChunk:
        """Return the next chunk; `arrived` is called once with every span."""
        self._fill()
        if not self._ready:
            encoded = await self._running[0]
            self._running.popleft()
            arrived(encoded)
            if self._is_crowded and encoded.waited_ns <= CROWDED_NS:
                self._plan([chunk for span in self._waiting for chunk in span], is_crowded=False)
            self._ready.extend(encoded.span.chunks())
            self._fill()  # the free slot is taken while the caller decodes
        return self._ready.popleft()

    async def finish(self) -> None:
        """Start no further span, wait for the spans in flight, and discard their results.

        A call of another model cannot be cancelled, and it still reads the video's file.
        """
        self._waiting.clear()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _plan(self, chunks: Sequence[Chunk], *, is_crowded: bool) -> None:
        self._is_crowded = is_crowded
        self._slots = 1 if is_crowded else self._window
        first_chunks = SPAN_CHUNKS if is_crowded else 1
        self._waiting = deque(spans(chunks, self._slots, self._most_chunks, first_chunks))

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._slots:
            chunks = self._waiting.popleft()
            # Each slot continues with the span that comes so many later, if there is one.
            continues = len(self._waiting) >= self._slots
            self._running.append(asyncio.ensure_future(self._encode(chunks, keep_open=continues)))

    async def _encode(self, chunks: Sequence[Chunk], *, keep_open: bool) -> TimedSpan:
        requested_ns = time.monotonic_ns()
        encoded = await self._encode_span(chunks, keep_open=keep_open)
        return TimedSpan(encoded, requested_ns, time.monotonic_ns())
