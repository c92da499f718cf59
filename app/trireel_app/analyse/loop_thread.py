# SPDX-License-Identifier: Apache-2.0
"""An event loop in a thread of its own, for callers that are not asynchronous."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
JOIN_SECONDS = 10.0


class LoopThread:
    """An event loop that runs in a background thread until it is closed."""

    def __init__(self, name: str) -> None:
        """Start the thread, which has this name."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start a coroutine in the loop; return its future at once."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop; return its result, or raise its error."""
        return self.submit(work).result()

    def close(self) -> None:
        """Stop the loop, and free its sockets; what still runs in it is not waited for."""
        if self.loop.is_closed():
            return
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(JOIN_SECONDS)
        if not self._thread.is_alive():
            self.loop.close()
