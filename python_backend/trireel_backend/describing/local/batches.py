# SPDX-License-Identifier: Apache-2.0
"""Questions that wait in the model's process, grouped into batches.

A batch waits for a moment only if as many questions as in the batch before may still come: so one
client alone never waits, and clients that ask again and again share batches.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trireel_backend.describing.question import Question

WINDOW_SECONDS = 0.02  # longest wait for more questions


@dataclass(frozen=True)
class Waiting:
    """A question with its number."""

    number: int
    """Number by which the owner knows it."""
    question: Question
    """The question."""

    @property
    def group(self) -> tuple[object, ...]:
        """Questions of one group can share a batch."""
        question = self.question
        if question.temperature > 0 and question.seed is not None:  # variety depends on the batch
            return (self.number,)
        return question.temperature, question.images is None


class Batches:
    """Collects questions in one thread, and gives batches to another."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Give batches of `most` questions at most."""
        self._most = most
        self._clock = clock
        self._waiting: list[Waiting] = []
        self._cancelled: set[int] = set()
        self._changed = threading.Condition()
        self._expected = 1

    def add(self, waiting: Waiting) -> None:
        """Add a question."""
        with self._changed:
            self._waiting.append(waiting)
            self._changed.notify_all()

    def cancel(self, number: int) -> None:
        """Drop a question, or let its batch know that it needs no more tokens."""
        with self._changed:
            kept = [each for each in self._waiting if each.number != number]
            if len(kept) == len(self._waiting):
                self._cancelled.add(number)
            self._waiting = kept

    def is_cancelled(self, number: int) -> bool:
        """Return whether a question of a batch needs no more tokens."""
        return number in self._cancelled

    def next(self) -> list[Waiting]:
        """Wait for questions, and return those of the oldest one's group."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            end = self._clock() + WINDOW_SECONDS
            while len(self._group()) < min(self._expected, self._most):
                left = end - self._clock()
                if left <= 0 or not self._changed.wait(left):
                    break
            batch = self._group()[: self._most]
            while not batch:  # cancelled meanwhile
                self._changed.wait()
                batch = self._group()[: self._most]
            taken = {each.number for each in batch}
            self._waiting = [each for each in self._waiting if each.number not in taken]
            self._expected = len(batch)
            return batch

    def put_back(self, batch: Sequence[Waiting]) -> None:
        """Put questions of a batch that was too large in front of the others."""
        with self._changed:
            self._waiting = [*batch, *self._waiting]

    def done(self, batch: Sequence[Waiting]) -> None:
        """Forget a batch whose answers are complete."""
        with self._changed:
            self._cancelled -= {each.number for each in batch}

    def _group(self) -> list[Waiting]:
        if not self._waiting:
            return []
        group = self._waiting[0].group
        return [each for each in self._waiting if each.group == group]
