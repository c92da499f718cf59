# SPDX-License-Identifier: Apache-2.0
"""A whole video's turns in the temporal decoder, from START to END."""

import asyncio
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from trireel_backend.errors import RequestError
from trireel_backend.plan import Chunk
from trireel_backend.whole_video.lookahead import EncodedChunk
from trireel_backend.whole_video.pipeline import Stages
from trireel_backend.wire.tensors import Tensors
from trireel_backend.wire.turn import Turn

KEEP_SECONDS = 10.0
"""Interval at which a sequence is kept alive. Triton drops idle sequences, by default after 300 s,
and a large tower on a CPU may need longer for a span."""


class Turns:
    """A video's turns in the decoder, which always end with END, even after an error."""

    def __init__(self, stages: Stages, options: Tensors, last_index: int) -> None:
        self._stages = stages
        self._options = options
        self._last_index = last_index
        self._id = uuid.uuid4().hex
        self._last: EncodedChunk | None = None  # of an open sequence

    async def keep_alive_until(self, next_chunk: Coroutine[Any, Any, EncodedChunk]) -> EncodedChunk:
        """Wait for the next chunk, and keep the sequence alive meanwhile."""
        coming = asyncio.ensure_future(next_chunk)
        while not (await asyncio.wait({coming}, timeout=KEEP_SECONDS))[0]:
            if self._last is not None:
                with suppress(RequestError):  # the next chunk will get the error
                    await self._stages.keep(Turn(self._id, start=False, end=False), self._last)
        return coming.result()

    async def decode(self, chunk: Chunk, encoded: EncodedChunk) -> dict[str, NDArray[Any]]:
        """Decode the next chunk."""
        turn = Turn(self._id, start=chunk.index == 0, end=chunk.index == self._last_index)
        self._last = None if turn.end else encoded
        return await self._stages.decode(turn, chunk, encoded, self._options)

    async def close(self) -> None:
        """Free the decoder's slot of an abandoned video: send END without a chunk."""
        if self._last is None:
            return
        with suppress(RequestError):  # END arrived despite the error, or the decoder is gone
            await self._stages.keep(Turn(self._id, start=False, end=True), self._last)
