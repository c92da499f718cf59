# SPDX-License-Identifier: Apache-2.0
"""A stream's answers, each yielded once, from as many streams as that takes."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Generic, Protocol, TypeVar

from trireel_client._calls import Infer
from trireel_client._errors import ServerUnavailable, UnexpectedAnswer
from trireel_client._flows.delivered import DeliveredChunks
from trireel_client._flows.flows import Flow, OpenStream, Server, VideoRequest, open_stream
from trireel_client._options import Tensors
from trireel_client._results import Analysis, ChunkAnalysis

LEAST_SECONDS = 0.001  # gRPC rejects a deadline that has passed

Answer = TypeVar("Answer")
Read = TypeVar("Read", covariant=True)


class Reader(Protocol[Read]):
    """Reads and checks the answers of one request, whichever stream they come from."""

    call: Infer
    """Call that opens a stream."""
    began_seconds: float
    """Time of the request on this machine's monotonic clock."""
    has_whole: bool
    """True after the answer for the whole video."""

    def begin_stream(self) -> None:
        """Expect the answers from the first on."""

    def read(self, tensors: Tensors) -> Sequence[Read]:
        """Return those parts of an answer that are new to the caller; raises UnexpectedAnswer."""

    def check_end(self) -> None:
        """Check that the stream ended with the whole video; raises UnexpectedAnswer."""


class ChunkReader:
    """Reads chunks, then the whole video.

    A stream that is opened again begins with the first chunk. The chunks that the caller has are
    compared with the new ones and left out.
    """

    def __init__(self, stream: OpenStream) -> None:
        self.call = stream.call
        self.began_seconds = stream.began_seconds
        self.has_whole = False
        self._stream = stream
        self._delivered = DeliveredChunks()

    def begin_stream(self) -> None:
        """Expect the answers from the first on: chunks have their index."""

    def read(self, tensors: Tensors) -> Sequence[ChunkAnalysis | Analysis]:
        """Return an answer unless the caller has it already; raises UnexpectedAnswer."""
        answer = self._stream.read(tensors)
        if isinstance(answer, Analysis):
            self._delivered.check_all(answer.chunks)
            self.has_whole = True
            return [answer]
        return [answer] if self._delivered.is_new(answer) else []

    def check_end(self) -> None:
        """Check that the stream ended with the whole video; raises UnexpectedAnswer."""
        if not self.has_whole:
            raise UnexpectedAnswer("the stream ended before the answer for the whole video")


def open_chunks(server: Server, request: VideoRequest) -> Flow[ChunkReader]:
    """Prepare a request with an answer for each chunk."""
    stream = yield from open_stream(server, request)
    return ChunkReader(stream)


class _Resumed(Generic[Answer]):
    """The part that both kinds of stream share: the answers that are read, and the time left."""

    def __init__(self, reader: Reader[Answer], within_seconds: float) -> None:
        self._reader = reader
        self._deadline_seconds = reader.began_seconds + within_seconds
        self._pending: deque[Answer] = deque()

    def left_seconds(self) -> float:
        """Return the time in seconds that is left for all streams together."""
        return max(LEAST_SECONDS, self._deadline_seconds - time.perf_counter())


class ResumedStream(_Resumed[Answer]):
    """A blocking stream: `next` may be called again after it failed, and then opens a new stream.

    A new stream begins with the first answer; the reader leaves out those that the caller has.
    """

    def __init__(
        self,
        reader: Reader[Answer],
        within_seconds: float,
        ask: Callable[[Infer, float], Generator[Tensors, None, None]],
    ) -> None:
        """Prepare the stream; `next` sends the first request.

        Args:
            within_seconds: time from the stream's beginning to its end, however often it breaks.
            ask: opens a stream, given its call and its longest time in seconds.
        """
        super().__init__(reader, within_seconds)
        self._ask = ask
        self._answers: Generator[Tensors, None, None] | None = None

    def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._pending:
            return self._pending.popleft()
        if self._answers is None:
            self._reader.begin_stream()
            self._answers = self._ask(self._reader.call, self.left_seconds())
        try:
            for tensors in self._answers:
                self._pending.extend(self._reader.read(tensors))
                if self._pending:
                    return self._pending.popleft()
        except ServerUnavailable:
            self.close()
            if not self._reader.has_whole:  # otherwise only the end of the stream is lost
                raise
        self._reader.check_end()
        return None

    def close(self) -> None:
        """Cancel the stream that is open."""
        answers, self._answers = self._answers, None
        if answers is not None:
            answers.close()


class AsyncResumedStream(_Resumed[Answer]):
    """The same as `ResumedStream`, for event loops."""

    def __init__(
        self,
        reader: Reader[Answer],
        within_seconds: float,
        ask: Callable[[Infer, float], AsyncGenerator[Tensors, None]],
    ) -> None:
        super().__init__(reader, within_seconds)
        self._ask = ask
        self._answers: AsyncGenerator[Tensors, None] | None = None

    async def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._pending:
            return self._pending.popleft()
        if self._answers is None:
            self._reader.begin_stream()
            self._answers = self._ask(self._reader.call, self.left_seconds())
        try:
            async for tensors in self._answers:
                self._pending.extend(self._reader.read(tensors))
                if self._pending:
                    return self._pending.popleft()
        except ServerUnavailable:
            await self.aclose()
            if not self._reader.has_whole:
                raise
        self._reader.check_end()
        return None

    async def aclose(self) -> None:
        """Cancel the stream that is open."""
        answers, self._answers = self._answers, None
        if answers is not None:
            await answers.aclose()
