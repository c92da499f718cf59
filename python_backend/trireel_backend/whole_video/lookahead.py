# SPDX-License-Identifier: Apache-2.0
"""Chunks on their way through the encoder: in spans of neighbours, ahead of the decoder."""

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
"""A span that waits longer than this for an extractor waits for other videos'."""


@dataclass(frozen=True)
class EncodedChunk:
    """What the encoder says of a chunk."""

    embeddings: NDArray[np.float32]
    """[f, D] unit length."""
    facts: Tensors
    """What the answer says of the chunk's frames: TIMESTAMPS [f] and what else is known of them."""
    views: Tensors = field(default_factory=dict)
    """Frames of second views, as tensors for the temporal decoder."""


@dataclass(frozen=True)
class EncodedSpan:
    """What the encoder says of some neighbouring chunks."""

    embeddings: NDArray[np.float32]
    """[f, D] unit length, of all of them."""
    facts: Tensors
    """CHUNK_NUM_FRAMES [n], and others of a row a chunk (CHUNK_...), a frame, or for all."""
    extract_began_ns: int
    """On the machine's monotonic clock, which all processes share."""
    extract_ended_ns: int
    views: Tensors = field(default_factory=dict)
    """Frames of second views of all of them, as tensors."""

    def chunks(self) -> Iterator[EncodedChunk]:
        """Yield what is said of each chunk."""
        chunks = split_chunks({**self.facts, "EMBEDDINGS": self.embeddings})
        views = split_views(self.views) if self.views else itertools.repeat({})
        for facts, of_chunk in zip(chunks, views, strict=False):
            yield EncodedChunk(facts.pop("EMBEDDINGS"), facts, of_chunk)


@dataclass(frozen=True)
class TimedSpan:
    """A span and when it was asked for and encoded, on the machine's monotonic clock."""

    span: EncodedSpan
    asked_ns: int
    ended_ns: int

    @property
    def waited_ns(self) -> int:
        """How long it waited for an extractor."""
        return self.span.extract_began_ns - self.asked_ns


class Encode(Protocol):
    """Extracts and encodes some neighbouring chunks: `analysis.Stages.encode` of one video."""

    async def __call__(self, chunks: Sequence[Chunk], *, keep_open: bool) -> EncodedSpan:
        """Return what it made of them; without `keep_open` the extractor closes the video."""


def spans(
    chunks: Sequence[Chunk], window: int, most_chunks: int, first_chunks: int = 1
) -> Iterator[Sequence[Chunk]]:
    """Cut a video's chunks into spans of neighbours, each extracted and encoded in one request.

    An extractor goes on from chunk to chunk, but has to find its way into a span. The first spans
    are short, so that the first answer comes soon, and no span takes more than its share of what is
    left, so that all of the window has work up to the end.

    Args:
        window: spans that are under way at once.
        most_chunks: whose frames fit into one request.
        first_chunks: length of the first spans, where there is that much for all of the window.
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
    """Keeps spans of chunks in the encoder and hands their chunks out in order.

    While extractors stand idle, there are up to `window` spans of the video under way. Where other
    videos keep them busy, it is one, as long as may be: side by side nothing would be done sooner,
    and each extractor would have to find its own way into the video.
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
            waited_ns: how long the video has just waited for an extractor.
        """
        self._encode_span = encode
        self._window = window
        self._most_chunks = most_chunks
        self._running: deque[asyncio.Task[TimedSpan]] = deque()
        self._ready: deque[EncodedChunk] = deque()
        self._plan(chunks, is_crowded=waited_ns > CROWDED_NS)

    async def next(self, arrived: Callable[[TimedSpan], None]) -> EncodedChunk:
        """Return the next chunk; `arrived` is told of every span once."""
        self._fill()
        if not self._ready:
            encoded = await self._running[0]
            self._running.popleft()
            arrived(encoded)
            if self._is_crowded and encoded.waited_ns <= CROWDED_NS:
                self._plan([chunk for span in self._waiting for chunk in span], is_crowded=False)
            self._ready.extend(encoded.span.chunks())
            self._fill()  # the freed place is taken while the caller decodes
        return self._ready.popleft()

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is under way; what comes of it interests nobody.

        A call of another model cannot be taken back, and it still reads the video's file.
        """
        self._waiting.clear()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _plan(self, chunks: Sequence[Chunk], *, is_crowded: bool) -> None:
        self._is_crowded = is_crowded
        self._places = 1 if is_crowded else self._window
        first_chunks = SPAN_CHUNKS if is_crowded else 1
        self._waiting = deque(spans(chunks, self._places, self._most_chunks, first_chunks))

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._places:
            chunks = self._waiting.popleft()
            # Each place goes on with the span that comes so many later, if there is one.
            goes_on = len(self._waiting) >= self._places
            self._running.append(asyncio.ensure_future(self._encode(chunks, keep_open=goes_on)))

    async def _encode(self, chunks: Sequence[Chunk], *, keep_open: bool) -> TimedSpan:
        asked_ns = time.monotonic_ns()
        encoded = await self._encode_span(chunks, keep_open=keep_open)
        return TimedSpan(encoded, asked_ns, time.monotonic_ns())
