# SPDX-License-Identifier: Apache-2.0
"""An event loop beside `execute`, which takes requests in while others are being answered."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class AnsweringLoop:
    """Runs coroutines in a thread of its own, until it is closed."""

    def __init__(self, calls_at_once: int) -> None:
        """Start the loop.

        Args:
            calls_at_once: calls of other models that may be under way: Triton's own waits for each
                in a thread of the loop's executor, of which asyncio would have six on two CPUs.
        """
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(calls_at_once, "call"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="answers", daemon=True)
        self._thread.start()

    def begin(self, answering: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Have a coroutine run; returns what will hold its result."""
        answer = asyncio.run_coroutine_threadsafe(answering, self._loop)
        answer.add_done_callback(Future.result)  # an error nobody waits for goes to the log
        return answer

    def close(self) -> None:
        """End the loop; what has not ended by then is not answered."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
