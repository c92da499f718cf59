# SPDX-License-Identifier: Apache-2.0
"""Snapshots of server, machine and load generator, once a second beside the load."""

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
class Snapshot:
    """The state of server, machine and load generator at one moment."""

    at_seconds: float
    """Time of the snapshot on the monotonic clock."""
    scrape: Scrape | None
    """Metrics of the server; None if they are not watched or did not come."""
    server: Use | None
    """Use of the server's processes; None if they are not known."""
    machine: Machine
    """CPU time of this machine."""
    client_cpu_seconds: float
    """CPU time of this process."""
    lags_seconds: tuple[float, ...]
    """Delays of the event loop at its wake-ups since the last snapshot."""


class Watch:
    """Takes a snapshot once a second, and on request."""

    def __init__(self, metrics: Address | None, server: ServerProcesses | None) -> None:
        """Make a watch; without `metrics` or `server`, snapshots lack that part."""
        self._metrics = metrics
        self._server = server
        self._lags_seconds: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._taking = asyncio.Lock()
        self.snapshots: list[Snapshot] = []
        self.trouble = ""
        """Why the server's metrics were missing last; empty if they never were."""

    async def __aenter__(self) -> "Watch":
        self._tasks = [asyncio.create_task(self._measure_lag()), asyncio.create_task(self._run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def take_snapshot(self) -> Snapshot:
        """Take a snapshot now and keep it."""
        async with self._taking:  # one after the other, so that counters only grow
            snapshot = await asyncio.to_thread(self._snapshot)
            self.snapshots.append(snapshot)
        return snapshot

    def between(self, begin_seconds: float, end_seconds: float) -> tuple[Snapshot, ...]:
        """Return the snapshots between two times, both included."""
        return tuple(
            one for one in self.snapshots if begin_seconds <= one.at_seconds <= end_seconds
        )

    def _snapshot(self) -> Snapshot:
        scrape = self._scrape()
        lags, self._lags_seconds = self._lags_seconds, []
        return Snapshot(  # after the scrape, which may take long, the rest is read at one moment
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
            await self.take_snapshot()
            # Missed times are skipped.
            passed = math.floor((time.perf_counter() - due_seconds) / EVERY_SECONDS) + 1
            due_seconds += passed * EVERY_SECONDS
            await asyncio.sleep(due_seconds - time.perf_counter())

    async def _measure_lag(self) -> None:
        while True:
            wanted_seconds = time.perf_counter() + LAG_EVERY_SECONDS
            await asyncio.sleep(LAG_EVERY_SECONDS)
            self._lags_seconds.append(max(0.0, time.perf_counter() - wanted_seconds))
