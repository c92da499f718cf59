# SPDX-License-Identifier: Apache-2.0
"""A closed loop of workers: each sends its next request as soon as its last one is answered."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

PAUSE_SECONDS = 0.1  # after a failure: a server that rejects requests is not flooded
Ask = Callable[[Any], Awaitable[Any]]
Event = Callable[[str], None]


@dataclass
class Level:
    """One level of concurrency; answers within its window are counted."""

    concurrency: int
    seconds: float
    """Length of the window, which begins after as many answers as there are workers. Infinite: the
    window is from the first request to the last answer."""
    latencies_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    window_seconds: float = 0.0
    client_cpu_seconds: float = 0.0

    async def run(self, ask: Ask, items: Iterable[Any], event: Event = lambda name: None) -> None:
        """Send a request for each item until the window or the items end.

        Requests in flight are awaited. `event` is called with "began" and "ended" at the window's
        two ends.
        """
        self._items, self._settled, self._stop = iter(items), 0, False
        self._event, self._open = event, math.isinf(self.seconds)
        if self._open:
            self._begin()
        await asyncio.gather(*(self._work(ask) for _ in range(self.concurrency)))
        self._end()

    async def _work(self, ask: Ask) -> None:
        while not self._stop and (item := next(self._items, None)) is not None:
            began = time.monotonic()
            try:
                await ask(item)
            except Exception as error:  # counted: a failure must not stop the load
                self.errors.append(f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self._open:
                self.latencies_ms.append(round((time.monotonic() - began) * 1e3, 2))
            self._settled += 1
            if self._settled == self.concurrency and math.isfinite(self.seconds):
                self._open = True
                self._begin()
                asyncio.get_running_loop().call_later(self.seconds, self._end)

    def _begin(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()
        self._event("began")

    def _end(self) -> None:
        if self._open:
            self._open, self._stop = False, True
            self.window_seconds = round(time.monotonic() - self._began, 4)
            self.client_cpu_seconds = round(time.process_time() - self._cpu, 4)
            self._event("ended")
