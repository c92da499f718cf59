# SPDX-License-Identifier: Apache-2.0
"""Server, machine and load generator, looked at once a second beside the load."""

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch
from trireel_client.load_test.watch.processes import Machine, ServerProcesses, Use, machine
from trireel_client.load_test.watch.scrape import Scrape, read_metrics

EVERY_SECONDS = 1.0
LAG_EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Look:
    """How things stand at one moment."""

    at_seconds: float
    """When, on the monotonic clock."""
    scrape: Scrape | None
    """What the server says; None where it was not asked or did not answer."""
    server: Use | None
    """The server's processes, where they are known."""
    machine: Machine
    """This machine."""
    client_cpu_seconds: float
    """What this process has used."""
    lags_seconds: tuple[float, ...]
    """How late the event loop was at each of its wake-ups since the last look."""


class Watch:
    """Looks once a second, and when asked to."""

    def __init__(self, metrics: Address | None, server: ServerProcesses | None) -> None:
        """Make a watch; without `metrics` or `server` it looks at the rest alone."""
        self._metrics = metrics
        self._server = server
        self._lags_seconds: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._looking = asyncio.Lock()
        self.looks: list[Look] = []
        self.trouble = ""
        """Why the server's metrics were last missing."""

    async def __aenter__(self) -> "Watch":
        self._tasks = [asyncio.create_task(self._measure_lag()), asyncio.create_task(self._run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def look(self) -> Look:
        """Look now."""
        async with self._looking:  # one after the other, so that counters only grow
            look = await asyncio.to_thread(self._look)
            self.looks.append(look)
        return look

    def between(self, begin_seconds: float, end_seconds: float) -> tuple[Look, ...]:
        """Return the looks of a stretch of time."""
        return tuple(one for one in self.looks if begin_seconds <= one.at_seconds <= end_seconds)

    def _look(self) -> Look:
        scrape = self._scrape()
        lags, self._lags_seconds = self._lags_seconds, []
        return Look(  # its parts in one go: the answer to the scrape may have taken long
            at_seconds=time.perf_counter(),
            scrape=scrape,
            server=None if self._server is None else self._server.use(),
            machine=machine(),
            client_cpu_seconds=time.process_time(),
            lags_seconds=tuple(lags),
        )

    def _scrape(self) -> Scrape | None:
        if self._metrics is None:
            return None
        try:
            return read_metrics(self._metrics)
        except NothingToWatch as error:
            self.trouble = str(error)
            return None

    async def _run(self) -> None:
        due_seconds = time.perf_counter()
        while True:
            await self.look()
            # Times that were missed are not made up for.
            passed = math.floor((time.perf_counter() - due_seconds) / EVERY_SECONDS) + 1
            due_seconds += passed * EVERY_SECONDS
            await asyncio.sleep(due_seconds - time.perf_counter())

    async def _measure_lag(self) -> None:
        while True:
            wanted_seconds = time.perf_counter() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self._lags_seconds.append(max(0.0, time.perf_counter() - wanted_seconds))
