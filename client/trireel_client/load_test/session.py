# SPDX-License-Identifier: Apache-2.0
"""A whole load test: level after level, with snapshots beside them."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from trireel_client._config import Address
from trireel_client._errors import TrireelError
from trireel_client._servers import ServerInfo
from trireel_client.load_test.drive.connection import Connection
from trireel_client.load_test.drive.level_run import LevelRun, Load
from trireel_client.load_test.drive.requester import Requester
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.judge.summary import LevelSummary, summarise
from trireel_client.load_test.plan import Level, Plan
from trireel_client.load_test.watch.capacity import known_capacities
from trireel_client.load_test.watch.processes import ServerProcesses
from trireel_client.load_test.watch.snapshots import Watch

SNAPSHOT_SECONDS = 0.5  # the snapshot at a window's end is taken just after it
REFRESH_SECONDS = 0.25


@dataclass(frozen=True)
class Watched:
    """The parts of the server that are watched beside the load."""

    metrics: Address | None
    """Address of the server's metrics; None if they cannot be read."""
    server: ServerProcesses | None
    """Processes of the server; None if they are not on this machine, or not known."""
    server_is_here: bool
    """True if the server runs on this machine."""


class Show(Protocol):
    """Shows the progress of a test."""

    def begin(self, load: Load, level: Level) -> None:
        """Show that a level begins."""

    def refresh(self) -> None:
        """Show the progress of the level."""

    def end(self, summary: LevelSummary) -> None:
        """Show the summary of a level that has ended."""


async def run_test(plan: Plan, connection: Connection, watched: Watched, show: Show) -> TestResult:
    """Run all levels; Ctrl-C ends the level that runs, and the test.

    Raises:
        TrireelError: if the server does not answer at the beginning.
    """
    requester = connection.requester(plan)
    try:
        server = await requester.server_info()
        return await _run(plan, connection, watched, show, requester, server)
    finally:
        await requester.close()


async def _run(
    plan: Plan,
    connection: Connection,
    watched: Watched,
    show: Show,
    requester: Requester,
    server: ServerInfo,
) -> TestResult:
    watch = Watch(watched.metrics, watched.server)
    began_at, began_seconds = datetime.now(UTC), time.perf_counter()
    runs: list[LevelRun] = []
    summaries: list[LevelSummary] = []
    notes: list[str] = []
    async with watch:
        first = await watch.take_snapshot()
        models = first.scrape.models() if first.scrape else ()
        configs = await asyncio.to_thread(connection.model_configs, models)
        capacities = known_capacities(configs)
        with _interrupts() as stop:
            for level in plan.levels:
                if runs and (trouble := await _trouble(requester)):
                    notes.append(f"ended before {level.name}: {trouble}")
                    break
                run = await _level(Load(plan, level, requester), level, watch, show, stop)
                window = run.window
                summary = summarise(
                    run,
                    watch.between(window.begin_seconds, window.end_seconds + SNAPSHOT_SECONDS),
                    mode=plan.mode,
                    capacities=capacities,
                    server_is_here=watched.server_is_here,
                )
                runs.append(run)
                summaries.append(summary)
                show.end(summary)
                if stop.is_set():
                    notes.append(f"interrupted in {level.name}")
                    break
    if watch.trouble:
        notes.append(watch.trouble)
    return TestResult(
        plan=plan,
        address=connection.address,
        server=server,
        capacities=capacities,
        began_at=began_at,
        began_seconds=began_seconds,
        runs=tuple(runs),
        summaries=tuple(summaries),
        snapshots=tuple(watch.snapshots),
        interrupted=stop.is_set(),
        notes=tuple(notes),
    )


async def _level(
    load: Load, level: Level, watch: Watch, show: Show, stop: asyncio.Event
) -> LevelRun:
    show.begin(load, level)
    snapshots = [
        asyncio.create_task(_take_snapshot_at(watch, load.window.begin_seconds)),
        asyncio.create_task(_take_snapshot_at(watch, load.window.end_seconds)),
    ]
    beside = [*snapshots, asyncio.create_task(_refresh(show))]
    try:
        run = await load.run(stop)
        if stop.is_set():
            await watch.take_snapshot()
        else:
            await asyncio.wait(
                snapshots
            )  # the last answer may come before the look at the end does
        return run
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)


async def _take_snapshot_at(watch: Watch, at_seconds: float) -> None:
    await asyncio.sleep(at_seconds - time.perf_counter())
    await watch.take_snapshot()


async def _refresh(show: Show) -> None:
    while True:
        show.refresh()
        await asyncio.sleep(REFRESH_SECONDS)


async def _trouble(requester: Requester) -> str:
    try:
        await requester.server_info()
    except TrireelError as error:
        return str(error)
    return ""


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """Give an event that the first Ctrl-C sets; a second Ctrl-C ends the process."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def interrupt() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (
        NotImplementedError,
        RuntimeError,
        ValueError,
    ):  # Windows and threads have no signal handlers
        yield stop
        return
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)
