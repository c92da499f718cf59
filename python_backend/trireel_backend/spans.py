# SPDX-License-Identifier: Apache-2.0
"""Chunks on their way through the encoder: in spans of neighbours, ahead of the decoder."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.tensors import Tensors, split_chunks

SPAN_CHUNKS = 4


@dataclass(frozen=True)
class EncodedChunk:
    """What the encoder says of a chunk."""

    embeddings: NDArray[np.float32]
    """[f, D] unit length."""
    facts: Tensors
    """What the answer says of the chunk's frames: TIMESTAMPS [f] and what else is known of them."""


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

    def chunks(self) -> Iterator[EncodedChunk]:
        """Yield what is said of each chunk."""
        for facts in split_chunks({**self.facts, "EMBEDDINGS": self.embeddings}):
            yield EncodedChunk(facts.pop("EMBEDDINGS"), facts)


@dataclass(frozen=True)
class TimedSpan:
    """A span and when it was encoded, on the machine's monotonic clock."""

    span: EncodedSpan
    ended_ns: int


Encode = Callable[[Sequence[Chunk]], Awaitable[EncodedSpan]]


def spans(chunks: Sequence[Chunk], window: int, most_chunks: int) -> Iterator[Sequence[Chunk]]:
    """Cut a video's chunks into spans of neighbours, each extracted and encoded in one request.

    An extractor goes on from chunk to chunk, but has to find its way into a span. The first spans
    are short, so that the first answer comes soon, and no span takes more than its share of what is
    left, so that all of the window has work up to the end.

    Args:
        window: spans that are under way at once.
        most_chunks: whose frames fit into one request.
    """
    begin, length = 0, 1
    while begin < len(chunks):
        for _ in range(window):
            share = math.ceil((len(chunks) - begin) / window)
            end = begin + min(length, SPAN_CHUNKS, most_chunks, max(1, share))
            if begin < len(chunks):
                yield chunks[begin:end]
            begin = end
        length *= 2


class EncodeAhead:
    """Keeps up to `window` spans of chunks in the encoder and hands their chunks out in order."""

    def __init__(self, encode: Encode, waiting: Iterable[Sequence[Chunk]], window: int) -> None:
        self._encode_span = encode
        self._waiting = deque(waiting)
        self._running: deque[asyncio.Task[TimedSpan]] = deque()
        self._ready: deque[EncodedChunk] = deque()
        self._window = window

    async def next(self, arrived: Callable[[TimedSpan], None]) -> EncodedChunk:
        """Return the next chunk; `arrived` is told of every span once."""
        self._fill()
        if not self._ready:
            encoded = await self._running[0]
            self._running.popleft()
            arrived(encoded)
            self._ready.extend(encoded.span.chunks())
            self._fill()  # the freed place is taken while the caller decodes
        return self._ready.popleft()

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is under way; what comes of it interests nobody.

        A call of another model cannot be taken back, and it still reads the video's file.
        """
        self._waiting.clear()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._window:
            self._running.append(asyncio.ensure_future(self._encode(self._waiting.popleft())))

    async def _encode(self, chunks: Sequence[Chunk]) -> TimedSpan:
        return TimedSpan(await self._encode_span(chunks), time.monotonic_ns())
