# SPDX-License-Identifier: Apache-2.0
"""An event loop beside `execute`: the model accepts requests while others are in flight."""

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
            calls_at_once: most calls of other models in flight: Triton waits for each call in a
                thread of the loop's executor, and asyncio's default is six threads on two CPUs.
        """
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(calls_at_once, "call"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="answers", daemon=True)
        self._thread.start()

    def begin(self, answering: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Start a coroutine; return the future of its result."""
        answer = asyncio.run_coroutine_threadsafe(answering, self._loop)
        answer.add_done_callback(Future.result)  # so that an unhandled error goes to the log
        return answer

    def close(self) -> None:
        """Stop the loop; requests still in flight get no response."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
