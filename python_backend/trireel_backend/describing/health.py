# SPDX-License-Identifier: Apache-2.0
"""What a backend may still do: its failures in a row, and the tokens of the last minute."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from trireel_backend.describing.configuration import BackendConfig

BUDGET_SECONDS = 60.0


@dataclass
class Breaker:
    """Leaves a backend out for a while after some failures in a row; then one question tries it."""

    failures: int
    """Failures in a row after which the backend is left out."""
    pause_seconds: float
    """Time in seconds for which it is left out."""
    clock: Callable[[], float]
    """Returns the time in seconds."""
    in_a_row: int = 0
    """Failures since the last success."""
    closed_until: float = 0.0
    """Time until which the backend is left out."""
    is_tried: bool = False
    """True while one question tries a backend that was left out."""

    def seconds_left(self) -> float:
        """Return for how many seconds the backend is left out, 0 if a question may go to it."""
        left = self.closed_until - self.clock()
        if left > 0:
            return left
        return self.pause_seconds if self.is_tried else 0.0

    def begin(self) -> None:
        """Count a question that goes to the backend."""
        self.is_tried = self.in_a_row >= self.failures

    def succeed(self) -> None:
        """Count an answer."""
        self.in_a_row, self.is_tried = 0, False

    def fail(self) -> None:
        """Count a failure."""
        self.in_a_row, self.is_tried = self.in_a_row + 1, False
        if self.in_a_row >= self.failures:
            self.closed_until = self.clock() + self.pause_seconds

    def release(self) -> None:
        """Count a question that ended without a verdict: its client went away."""
        self.is_tried = False

    def leave_out(self, seconds: float) -> None:
        """Leave the backend out for a time that it stated itself."""
        self.is_tried = False
        self.closed_until = max(self.closed_until, self.clock() + seconds)


@dataclass
class Budget:
    """Tokens that a backend may use within a minute; reserved before they are spent."""

    tokens_per_minute: int
    """Most tokens in a minute; 0 for no limit."""
    clock: Callable[[], float]
    """Returns the time in seconds."""
    spent: deque[list[float]] = field(default_factory=deque)
    """Time and tokens of each question of the last minute."""

    def reserve(self, tokens: int) -> list[float] | None:
        """Return an entry of tokens, None if they exceed what is left of the minute."""
        while self.spent and self.spent[0][0] <= self.clock() - BUDGET_SECONDS:
            self.spent.popleft()
        limit = self.tokens_per_minute
        if limit and sum(entry[1] for entry in self.spent) + tokens > limit:
            return None
        entry = [self.clock(), float(tokens)]
        self.spent.append(entry)
        return entry

    @staticmethod
    def settle(entry: list[float], tokens: int) -> None:
        """Replace an entry's tokens by those that were used."""
        entry[1] = float(tokens)


def new_breaker(config: BackendConfig, clock: Callable[[], float]) -> Breaker:
    """Return the breaker of a backend."""
    return Breaker(config.failures, config.pause_seconds, clock)
