# SPDX-License-Identifier: Apache-2.0
"""A stream's answers between the thread that receives them and the caller's."""

import queue
import threading
from typing import Any

MOST_ANSWERS = 8  # a video's clips may be larger than this machine's memory
POLL_SECONDS = 0.1

Received = tuple[Any, Exception | None]
"""A result, or the error instead of one."""


class Inbox:
    """Holds a few answers; the thread that receives them waits while it is full.

    Then gRPC's flow control holds up the server.
    """

    def __init__(self) -> None:
        self._answers: queue.Queue[Received] = queue.Queue(MOST_ANSWERS)
        self._is_closed = threading.Event()

    def put(self, result: Any, error: Exception | None) -> None:
        """Add an answer when there is room; a closed inbox discards it."""
        while not self._is_closed.is_set():
            try:
                self._answers.put((result, error), timeout=POLL_SECONDS)
            except queue.Full:
                continue
            return

    def get(self, within_seconds: float) -> Received:
        """Return the next answer; raises queue.Empty if none comes in time."""
        return self._answers.get(timeout=max(0.0, within_seconds))

    def close(self) -> None:
        """Let the thread that receives go on: nobody reads any more."""
        self._is_closed.set()
