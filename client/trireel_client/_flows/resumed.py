# SPDX-License-Identifier: Apache-2.0
"""A stream's answers, each given once, from as many streams as it takes to have them all."""

import time
from collections.abc import AsyncGenerator, Callable, Generator

from trireel_client._calls import Infer
from trireel_client._errors import ServerUnavailable, UnexpectedAnswer
from trireel_client._flows.delivered import Given
from trireel_client._flows.flows import OpenStream
from trireel_client._options import Tensors
from trireel_client._results import Analysis, ChunkAnalysis

Answer = ChunkAnalysis | Analysis

LEAST_SECONDS = 0.001  # gRPC's deadlines are to come


class _Reader:
    """What both kinds of stream make of their answers."""

    def __init__(self, stream: OpenStream, within_seconds: float) -> None:
        self.call = stream.call
        self._stream = stream
        self._deadline_seconds = stream.began_seconds + within_seconds
        self._given = Given()
        self.whole_given = False

    def left_seconds(self) -> float:
        """Return what is left of the time for all of the streams together."""
        return max(LEAST_SECONDS, self._deadline_seconds - time.perf_counter())

    def new_answer(self, tensors: Tensors) -> Answer | None:
        """Return what an answer says, None where the caller has it; raises UnexpectedAnswer."""
        answer = self._stream.read(tensors)
        if isinstance(answer, Analysis):
            self._given.check_all(answer.chunks)
            self.whole_given = True
            return answer
        return answer if self._given.is_new(answer) else None

    def check_end(self) -> None:
        """Check that the stream ended with the whole video; raises UnexpectedAnswer."""
        if not self.whole_given:
            raise UnexpectedAnswer("the stream ended before the answer for the whole video")


class Resumed:
    """Blocking: `next` may be called again after it failed, and then asks anew.

    What is asked for anew begins with the first chunk again; those that were given are compared
    with what they were, and passed over.
    """

    def __init__(
        self,
        stream: OpenStream,
        within_seconds: float,
        ask: Callable[[Infer, float], Generator[Tensors, None, None]],
    ) -> None:
        """Ask for nothing yet.

        Args:
            within_seconds: from the stream's beginning to its end, however often it breaks.
            ask: opens a stream of so many seconds at most.
        """
        self._reader = _Reader(stream, within_seconds)
        self._ask = ask
        self._answers: Generator[Tensors, None, None] | None = None

    def left_seconds(self) -> float:
        """Return what is left of the time."""
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
            if not self._reader.whole_given:  # else only its end is lost
                raise
        self._reader.check_end()
        return None

    def close(self) -> None:
        """Cancel the stream that is open."""
        answers, self._answers = self._answers, None
        if answers is not None:
            answers.close()


class AsyncResumed:
    """The same for event loops."""

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
        """Return what is left of the time."""
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
            if not self._reader.whole_given:
                raise
        self._reader.check_end()
        return None

    async def aclose(self) -> None:
        """Cancel the stream that is open."""
        answers, self._answers = self._answers, None
        if answers is not None:
            await answers.aclose()
