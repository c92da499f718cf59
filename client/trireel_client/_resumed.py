# SPDX-License-Identifier: Apache-2.0
"""A stream's answers, each given once, from as many streams as it takes to have them all."""

from collections.abc import AsyncGenerator, Callable, Generator

from trireel_client._errors import ServerUnavailable, UnexpectedAnswer
from trireel_client._flows import OpenStream
from trireel_client._given import Given
from trireel_client._options import Tensors
from trireel_client._results import Analysis, ChunkAnalysis

Answer = ChunkAnalysis | Analysis


class _Reader:
    """What both kinds of stream make of their answers."""

    def __init__(self, stream: OpenStream) -> None:
        self._stream = stream
        self._given = Given()
        self.whole_given = False

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
        self, stream: OpenStream, ask: Callable[[], Generator[Tensors, None, None]]
    ) -> None:
        self._reader = _Reader(stream)
        self._ask = ask
        self._answers: Generator[Tensors, None, None] | None = None

    def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._answers is None:
            self._answers = self._ask()
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
        self, stream: OpenStream, ask: Callable[[], AsyncGenerator[Tensors, None]]
    ) -> None:
        self._reader = _Reader(stream)
        self._ask = ask
        self._answers: AsyncGenerator[Tensors, None] | None = None

    async def next(self) -> Answer | None:
        """Return the next answer, None after the last."""
        if self._answers is None:
            self._answers = self._ask()
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
