# SPDX-License-Identifier: Apache-2.0
"""Blocking work from an event loop, in threads with a client of their own."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from trireel_client._client import TrireelClient

T = TypeVar("T")
Make = Callable[[], TrireelClient]
Job = Callable[[TrireelClient], T]


class Threads:
    """As many threads as there is work at once.

    They are daemons: a thread that waits for a silent server must not delay the end of the
    process, as a ThreadPoolExecutor's would.
    """

    def __init__(self, make_client: Make) -> None:
        self._make_client = make_client
        self._free: list[_Thread] = []

    async def run(self, job: Job[T]) -> T:
        """Run a job and return its result; a thread is discarded if its job is cancelled."""
        thread = self._free.pop() if self._free else _Thread(self._make_client)
        try:
            result = await thread.run(job)
        except asyncio.CancelledError:
            thread.close()  # after its job
            raise
        except BaseException:
            self._free.append(thread)
            raise
        self._free.append(thread)
        return result

    def close(self) -> None:
        """End the idle threads."""
        while self._free:
            self._free.pop().close()


class _Thread:
    def __init__(self, make_client: Make) -> None:
        self._jobs: queue.SimpleQueue[Callable[[Make], None] | None] = queue.SimpleQueue()
        threading.Thread(
            target=self._work, args=(make_client,), name="load-test", daemon=True
        ).start()

    async def run(self, job: Job[T]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def work(client: Make) -> None:
            try:
                report: tuple[Callable[[Any], None], Any] = done.set_result, job(client())
            except BaseException as error:
                report = done.set_exception, error
            with suppress(RuntimeError):  # the loop is closed, and no task waits for the result
                loop.call_soon_threadsafe(_unless_done, done, *report)

        self._jobs.put(work)
        return await done

    def close(self) -> None:
        self._jobs.put(None)

    def _work(self, make_client: Make) -> None:
        client = cache(make_client)  # made by the first job, which gets the error if that fails
        while (job := self._jobs.get()) is not None:
            job(client)
        if client.cache_info().currsize:
            client().close()


def _unless_done(done: "asyncio.Future[T]", report: Callable[[Any], None], result: Any) -> None:
    if not done.done():  # it was cancelled
        report(result)
