# SPDX-License-Identifier: Apache-2.0
"""State a video between its requests, by correlation id."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from trireel_backend.errors import InvalidInput

State = TypeVar("State")
CorrelationId = int | str


@dataclass(frozen=True)
class _Kept(Generic[State]):
    state: State
    touched_seconds: float


class SequenceStore(Generic[State]):
    """A dictionary of states that forgets those nobody has asked for.

    Triton frees the slot of an idle sequence without telling the model, so the store keeps a
    clock of its own: it must be longer than the batcher's, or it would forget what Triton still
    lets through.
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
            start: the state of a sequence that begins.
            idle_seconds: how long an untouched state is kept.
            clock: seconds, never going back.
            expired: told how many states were forgotten because nobody asked for them.
        """
        self._start = start
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._expired = expired
        # In order of last use; the first of a plain dict costs more the more went before it.
        self._kept: OrderedDict[CorrelationId, _Kept[State]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, correlation_id: CorrelationId) -> bool:
        return correlation_id in self._kept

    def take(self, correlation_id: CorrelationId, *, start: bool, end: bool) -> State:
        """Return the state of a sequence.

        START begins anew whatever was kept; at END nothing is kept, even if the request fails.

        Raises:
            InvalidInput: no START, and nothing is known of this id (any more).
        """
        self.forget_idle()
        kept = (
            self._kept.pop(correlation_id, None) if start or end else self._kept.get(correlation_id)
        )
        if start:
            return self._start()
        if kept is None:
            raise InvalidInput(
                f"sequence {correlation_id!r} is not open: send START with a video's first chunk,"
                f" and again after {self._idle_seconds:g} s without a request"
            )
        return kept.state

    def put(self, correlation_id: CorrelationId, state: State) -> None:
        """Keep the state behind a request that is not a sequence's last."""
        self._kept[correlation_id] = _Kept(state, self._clock())
        self._kept.move_to_end(correlation_id)

    def forget_idle(self) -> None:
        """Forget the states nobody has asked for; to be called now and then where no request is."""
        oldest_allowed = self._clock() - self._idle_seconds
        before = len(self._kept)
        while self._kept and next(iter(self._kept.values())).touched_seconds < oldest_allowed:
            self._kept.popitem(last=False)
        if len(self._kept) < before:
            self._expired(before - len(self._kept))
