# SPDX-License-Identifier: Apache-2.0
"""A stream's answers, each yielded once, from as many streams as that takes."""

import time
from collections.abc import AsyncGenerator, Callable, Generator

from trireel_client._calls import Infer
from trireel_client._errors import ServerUnavailable, UnexpectedAnswer
from trireel_client._flows.delivered import DeliveredChunks
from trireel_client._flows.flows import OpenStream
from trireel_client._options import Tensors
from trireel_client._results import Analysis, ChunkAnalysis

Answer = ChunkAnalysis | Analysis

LEAST_SECONDS = 0.001  # gRPC rejects a deadline that has passed


class _Reader:
    """The part that both kinds of stream share: it reads and checks their answers."""

    def __init__(self, stream: OpenStream, within_seconds: float) -> None:
        self.call = stream.call
        self._stream = stream
        self._deadline_seconds = stream.began_seconds + within_seconds
        self._delivered = DeliveredChunks()
        self.has_whole = False

    def left_seconds(self) -> float:
        """Return the time that is left for all streams together."""
        return max(LEAST_SECONDS, self._deadline_seconds - time.perf_counter())

    def new_answer(self, tensors: Tensors) -> Answer | None:
        """Return an answer, None if the caller has it already; raises UnexpectedAnswer."""
        answer = self._stream.read(tensors)
        if isinstance(answer, Analysis):
            self._delivered.check_all(answer.chunks)
            self.has_whole = True
            return answer
        return answer if self._delivered.is_new(answer) else None

    def check_end(self) -> None:
        """Check that the stream ended with the whole video; raises UnexpectedAnswer."""
        if not self.has_whole:
            raise UnexpectedAnswer("the stream ended before the answer for the whole video")


class ResumedStream:
    """A blocking stream: `next` may be called again after it failed, and then opens a new stream.

    A new stream begins with the first chunk. The chunks that the caller has are compared with the
    new ones and skipped.
    """

    def __init__(
        self,
        stream: OpenStream,
        within_seconds: float,
        ask: Callable[[Infer, float], Generator[Tensors, None, None]],
    ) -> None:
        """Prepare the stream; `next` sends the first request.

        Args:
            within_seconds: time from the stream's beginning to its end, however often it breaks.
            ask: opens a stream, given its call and its longest time in seconds.
        """
        self._reader = _Reader(stream, within_seconds)
        self._ask = ask
        self._answers: Generator[Tensors, None, None] | None = None

    def left_seconds(self) -> float:
        """Return the time that is left in seconds."""
        return self._reader.left_seconds()

    def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._answers is None:
            self._answers = self._ask(self._reader.call, self.left_seconds())
        try:
            for tensors in self._answers:
                answer = self._reader.new_answer(tensors)
                if answer is not None:
                    return answer
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


class AsyncResumedStream:
    """The same as `ResumedStream`, for event loops."""

    def __init__(
        self,
        stream: OpenStream,
        within_seconds: float,
        ask: Callable[[Infer, float], AsyncGenerator[Tensors, None]],
    ) -> None:
        self._reader = _Reader(stream, within_seconds)
        self._ask = ask
        self._answers: AsyncGenerator[Tensors, None] | None = None

    def left_seconds(self) -> float:
        """Return the time that is left in seconds."""
        return self._reader.left_seconds()

    async def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._answers is None:
            self._answers = self._ask(self._reader.call, self.left_seconds())
        try:
            async for tensors in self._answers:
                answer = self._reader.new_answer(tensors)
                if answer is not None:
                    return answer
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
