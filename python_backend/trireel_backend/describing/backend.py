# SPDX-License-Identifier: Apache-2.0
"""The interface of a backend, and how it fails."""

from collections.abc import AsyncGenerator
from typing import Protocol

from trireel_backend.describing.configuration import BackendConfig
from trireel_backend.describing.question import Piece, Question


class BackendFailed(Exception):
    """A backend gave no answer; the message completes the sentence "backend X ..."."""

    def __init__(
        self,
        message: str,
        *,
        is_fault: bool = True,
        pause_seconds: float | None = None,
        was_gone: bool = False,
    ) -> None:
        """Describe the failure.

        Args:
            message: says what happened, as "refuses the connection".
            is_fault: False if the question is the cause, so that it says nothing about others.
            pause_seconds: time for which the backend wants no question; None if it states none.
            was_gone: True if the backend may have been gone before the question came, so that a
                second attempt is worth it.
        """
        super().__init__(message)
        self.is_fault = is_fault
        self.pause_seconds = pause_seconds
        self.was_gone = was_gone


class Backend(Protocol):
    """Answers questions."""

    config: BackendConfig

    def pieces(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of an answer; only the last has a `finish`.

        Raises:
            BackendFailed: if no answer comes, or it ends too early.
        """

    async def ready(self) -> None:
        """Wait until the backend accepts a question; raises BackendFailed if it does not."""

    async def close(self) -> None:
        """Release what the backend holds."""
