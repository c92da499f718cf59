# SPDX-License-Identifier: Apache-2.0
"""A question goes to the first backend that can answer it; if it fails, to the next."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from trireel_backend.describing.backend import Backend, BackendFailed
from trireel_backend.describing.health import Breaker, Budget, new_breaker
from trireel_backend.describing.question import Piece, Question
from trireel_backend.errors import Unavailable

Observe = Callable[[str, str], None]
"""Counts an outcome of a backend: its name, and "answered", "failed" or "skipped"."""


@dataclass(frozen=True)
class Answered:
    """A piece of an answer, and the backend that gives it."""

    piece: Piece
    """The piece."""
    backend: str
    """Name of the backend."""


class _Line:
    """A backend with its health."""

    def __init__(self, backend: Backend, clock: Callable[[], float]) -> None:
        self.backend = backend
        self.config = backend.config
        self.breaker: Breaker = new_breaker(backend.config, clock)
        self.budget = Budget(backend.config.tokens_per_minute, clock)
        self.in_flight = 0

    def reason_to_skip(self) -> str:
        """Return why no question may go to the backend now, empty if one may."""
        left = self.breaker.seconds_left()
        if left > 0:
            return f"is left out for {left:.0f} s after failures"
        if self.in_flight >= self.config.most_requests:
            return f"has {self.in_flight} questions in flight, the most allowed"
        return ""


class Dispatcher:
    """Tries backends in order; used in one event loop."""

    def __init__(
        self,
        backends: Sequence[Backend],
        observe: Observe = lambda name, outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use backends in this order."""
        self._lines = [_Line(backend, clock) for backend in backends]
        self._observe = observe

    async def answer(self, question: Question) -> AsyncGenerator[Answered, None]:
        """Yield the pieces of an answer, all of one backend.

        A backend that fails before its first piece is followed by the next one.

        Raises:
            Unavailable: if no backend answers, or one fails after its first piece.
        """
        reasons = []
        for line in self._lines:
            if not _can(line, question):
                continue
            reason, entry = line.reason_to_skip(), None
            if not reason:
                entry = line.budget.reserve(question.cost_tokens)
                reason = "" if entry else "has used up its tokens of this minute"
            if entry is None:
                self._observe(line.config.name, "skipped")
                reasons.append(f"backend {line.config.name} {reason}")
                continue
            has_begun = False
            try:
                async with aclosing(self._answer_of(line, question, entry)) as pieces:
                    async for piece in pieces:
                        has_begun = True
                        yield Answered(piece, line.config.name)
                return
            except BackendFailed as error:
                if has_begun:
                    raise Unavailable(
                        f"backend {line.config.name} {error} in the middle of its answer: ask again"
                    ) from error
                reasons.append(f"backend {line.config.name} {error}")
        raise Unavailable(_no_answer(question, reasons))

    async def _answer_of(
        self, line: _Line, question: Question, entry: list[float]
    ) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of one backend in its time, and count how it ends."""
        line.in_flight += 1
        line.breaker.begin()
        outcome, tokens = "", 0
        try:
            async with aclosing(_timely(line.backend, question)) as pieces:
                async for piece in pieces:
                    tokens = piece.num_tokens
                    if piece.finish:  # before it is sent: the client may leave then
                        outcome = "answered"
                        line.breaker.succeed()
                    yield piece
        except BackendFailed as error:
            outcome = "failed"
            if error.pause_seconds is not None:
                line.breaker.leave_out(error.pause_seconds)
            elif error.is_fault:
                line.breaker.fail()
            else:
                line.breaker.release()
            raise
        finally:
            line.in_flight -= 1
            if not outcome:
                line.breaker.release()
            asked = question.cost_tokens - question.max_tokens
            line.budget.settle(entry, 0 if outcome == "failed" and not tokens else asked + tokens)
            if outcome:
                self._observe(line.config.name, outcome)

    async def close(self) -> None:
        """Release what all backends hold."""
        await asyncio.gather(*(line.backend.close() for line in self._lines))


async def _timely(backend: Backend, question: Question) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of a backend in its time; one that was gone is asked once more."""
    has_begun = False
    for is_last in (False, True):
        try:
            await backend.ready()
            async with aclosing(_pieces(backend, question)) as pieces:
                async for piece in pieces:
                    has_begun = True
                    yield piece
            return
        except BackendFailed as error:
            if has_begun or is_last or not error.was_gone:
                raise


async def _pieces(backend: Backend, question: Question) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of a backend, until its time is up or it has said nothing."""
    config = backend.config
    end = time.monotonic() + config.seconds
    wait_seconds, has_text = min(config.first_seconds, config.seconds), False
    async with aclosing(backend.pieces(question)) as pieces:
        while True:
            try:
                piece = await asyncio.wait_for(anext(pieces), wait_seconds)
            except StopAsyncIteration:
                raise BackendFailed("ended its answer too early") from None
            except TimeoutError:
                raise BackendFailed(f"did not answer within {wait_seconds:.3g} s") from None
            has_text = has_text or bool(piece.text.strip())
            if piece.finish and not has_text:
                raise BackendFailed("returned an empty answer")
            yield piece
            if piece.finish:
                return
            wait_seconds = max(0.0, end - time.monotonic())


def _can(line: _Line, question: Question) -> bool:
    return line.config.chats if question.images is None else line.config.sees


def _no_answer(question: Question, reasons: Sequence[str]) -> str:
    if not reasons:
        what = "answers questions without pictures" if question.images is None else "takes pictures"
        return f"no backend of this server {what}: add one to its file of backends"
    return f"no backend answers now: {'; '.join(reasons)}"
