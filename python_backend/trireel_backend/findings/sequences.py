# SPDX-License-Identifier: Apache-2.0
"""State of each video between its requests, by correlation id."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trireel_backend.errors import InvalidInput

State = TypeVar("State")
CorrelationId = int | str


@dataclass(frozen=True)
class _Entry(Generic[State]):
    state: State
    touched_seconds: float
    size_bytes: int


class SequenceStore(Generic[State]):
    """A dictionary of states that drops idle ones.

    Triton frees the slot of an idle sequence without notifying the model, so the store has its own
    timeout. It must be longer than the batcher's, or the store would drop states of sequences that
    Triton still accepts.
    """

    def __init__(
        self,
        start: Callable[[], State],
        *,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        expired: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Make an empty store.

        Args:
            start: returns the state of a new sequence.
            idle_seconds: time without a request after which a state is dropped.
            clock: returns seconds of a monotonic clock.
            expired: called with the number of states that were dropped as idle.
        """
        self._start = start
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._expired = expired
        self._total_bytes = 0
        # In order of last use; finding the first item of a plain dict slows with each deleted one.
        self._entries: OrderedDict[CorrelationId, _Entry[State]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def total_bytes(self) -> int:
        """Return the sum of the states' sizes, as given to `put`."""
        return self._total_bytes

    def __contains__(self, correlation_id: CorrelationId) -> bool:
        return correlation_id in self._entries

    def take(self, correlation_id: CorrelationId, *, start: bool, end: bool) -> State:
        """Return the state of a sequence.

        START restarts the sequence and discards an earlier state. END drops the state, even if the
        request fails.

        Raises:
            InvalidInput: if there is no START, and the id is unknown or its state was dropped.
        """
        self.forget_idle()
        drops = start or end
        entry = self._drop(correlation_id) if drops else self._entries.get(correlation_id)
        if start:
            return self._start()
        if entry is None:
            raise InvalidInput(
                f"sequence {correlation_id!r} is not open: send START with a video's first chunk,"
                f" and again after {self._idle_seconds:g} s without a request"
            )
        return entry.state

    def peek(self, correlation_id: CorrelationId, *, start: bool) -> State | None:
        """Return the state that `take` would return, None if the sequence is not open."""
        if start:
            return self._start()
        entry = self._entries.get(correlation_id)
        return None if entry is None else entry.state

    def put(self, correlation_id: CorrelationId, state: State, size_bytes: int = 0) -> None:
        """Store the state after a request that is not the last of its sequence.

        Args:
            size_bytes: about how much memory the state takes.
        """
        self._drop(correlation_id)
        entry = _Entry(state, self._clock(), size_bytes)
        self._entries[correlation_id] = entry
        self._total_bytes += entry.size_bytes

    def forget_idle(self) -> None:
        """Drop idle states; call this periodically, since `take` runs only with a request."""
        oldest_allowed = self._clock() - self._idle_seconds
        before = len(self._entries)
        while self._entries and next(iter(self._entries.values())).touched_seconds < oldest_allowed:
            self._drop(next(iter(self._entries)))
        if len(self._entries) < before:
            self._expired(before - len(self._entries))

    def _drop(self, correlation_id: CorrelationId) -> _Entry[State] | None:
        entry = self._entries.pop(correlation_id, None)
        if entry is not None:
            self._total_bytes -= entry.size_bytes
        return entry
