# SPDX-License-Identifier: Apache-2.0
"""A process that works on jobs: it feeds the engine, renews its lease, and ends jobs."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

import sqlalchemy as sa

from trireel_app.analyse.loop_thread import LoopThread
from trireel_app.analyse.servers import ServerLimits, Servers
from trireel_app.engine.leases import Leases
from trireel_app.engine.port import Engine, QueueLimits, Task
from trireel_app.errors import AppError, LibraryError
from trireel_app.jobs.finish import clean_up, forget_removed, settle_orphans, write_output
from trireel_app.jobs.job import Job, JobState, Outcome, queue_of
from trireel_app.jobs.library_video import LibraryVideos
from trireel_app.jobs.runner import Reporter, VideoRunner
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.tables import JOBS, reason_of
from trireel_app.jobs.watched import Board, tell_stopped
from trireel_client import AsyncTrireelClient

BEATS_IN_LEASE = 5
PATIENCE_SECONDS = 86_400.0
"""A worker waits a day for a database that is away: the engine waits as well."""
LOOK_SECONDS = 30.0
"""Time between looks for videos whose tasks have ended without an outcome."""
CLOSE_SECONDS = 10.0
SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class WorkerOptions:
    """How one process works."""

    urls: tuple[str, ...]
    """Servers, HOST:PORT."""
    make_client: Callable[[str], AsyncTrireelClient]
    """Makes the client of a server, inside the event loop."""
    limits: ServerLimits = field(default_factory=ServerLimits)
    """Limits of each server."""
    lease_seconds: float = 15.0
    """Seconds without a sign of life after which others take this worker's videos."""
    job_id: str | None = None
    """The one job to work on; None for all."""


class Worker:
    """Works on jobs in background threads until it is stopped.

    with Worker(...) as worker:
        while ...:
            worker.tend()
    """

    def __init__(
        self, store: JobStore, engine: Engine, options: WorkerOptions, report: Reporter
    ) -> None:
        self._store = JobStore(store.database, PATIENCE_SECONDS)
        self._engine = engine
        self._options = options
        self._report = report
        self._leases = Leases(store.database, options.lease_seconds)
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._open_queues: set[str] = set()
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._beats_well_since = time.monotonic()
        self._database_trouble = ""
        self._board = Board(store.database)
        self._library_videos = LibraryVideos(self._store, self._board)
        self._maintenance: Future[None] | None = None

    def __enter__(self) -> "Worker":
        """Begin to work; raises LibraryError if the database cannot be used."""
        self._leases.renew()
        self._requests = LoopThread("requests")
        self._servers = self._requests.run(self._make_servers())
        self._requests.submit(self._board.run())
        self._runner = VideoRunner(
            self._store, self._servers, self._requests.loop, self._report, self._library_videos
        )
        queues = None if self._options.job_id is None else [queue_of(self._options.job_id)]
        self._engine.start(self._runner, self._leases.worker_id, queues)
        self._heart.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop(0)

    def stop(self, drain_seconds: float) -> None:
        """Take no more videos, wait for those in flight, and give the others back at once."""
        if self._stop.is_set():
            return
        # What the engine has just claimed has to begin before its event loop stops.
        at_least = SETTLE_SECONDS if self._runner.jobs_in_flight() else 0.0
        self._engine.stop(max(drain_seconds, at_least))
        self._stop.set()
        with suppress(TimeoutError):
            self._requests.submit(self._close()).result(CLOSE_SECONDS)
        self._requests.close()
        self._heart.join(CLOSE_SECONDS)
        with suppress(sa.exc.SQLAlchemyError):
            self._leases.end()

    @property
    def trouble(self) -> str:
        """Sentence about a database that is away, or lost servers; empty if all is well."""
        lost = self._servers.lost()
        waits = f"waits for {', '.join(lost)}: no server is ready there" if lost else ""
        return self._database_trouble or waits

    def tend(self) -> None:
        """Give the engine videos, and end jobs whose videos are settled; call it twice a second.

        Raises:
            LibraryError: if the database is lost for good.
        """
        jobs = self._store.jobs(*self._mine())
        running = {job.id for job in jobs if job.state is JobState.RUNNING}
        for job_id in self._runner.jobs_in_flight() - running:
            self._runner.cancel(job_id)
        for job in jobs:
            try:
                self._tend(job)
            except LibraryError as error:
                reason = str(error)
                also = tell_stopped(reason)
                self._store.move(job.id, JobState.RUNNING, JobState.STOPPED, reason, also)
        if time.monotonic() > self._look_at:
            for job_id in running:
                settle_orphans(self._store, self._engine, job_id)
            if self._options.job_id is None:
                forget_removed(self._engine, {job.id for job in jobs})
            self._look_at = time.monotonic() + LOOK_SECONDS
        if self._maintenance is None or self._maintenance.done():
            self._maintenance = self._requests.submit(
                asyncio.to_thread(self._library_videos.maintain)
            )

    def reap(self) -> int:
        """Give back the videos of workers whose lease has ended; return how many. Repeatable."""
        living = self._leases.living() | {self._leases.worker_id}
        dead = (self._engine.owners() | self._leases.known()) - living
        if not dead:
            return 0
        taken = self._engine.take_over(dead)
        self._leases.remove(sorted(dead))
        return taken

    def _tend(self, job: Job) -> None:
        if job.state is JobState.WRITTEN:
            clean_up(self._store, self._engine, job)
            self._open_queues.discard(job.queue)
            return
        if job.progress.settled == job.progress.total:
            write_output(self._store, job)
            return
        if job.queue not in self._open_queues:
            spec = job.spec
            limits = QueueLimits(spec.per_worker, spec.in_flight, spec.per_minute)
            self._engine.open_queue(job.queue, limits)
            self._open_queues.add(job.queue)
        progress = job.progress
        if progress.total == progress.settled + progress.queued:
            return  # no video waits for its turn
        self._store.feed(job, lambda c, tasks: self._engine.enqueue(c, job.queue, tasks))

    def _mine(self) -> Sequence["sa.ColumnElement[bool]"]:
        states = JOBS.c.state.in_([JobState.RUNNING, JobState.WRITTEN])
        if self._options.job_id is None:
            return (states,)
        return states, JOBS.c.id == self._options.job_id

    def _beat(self) -> None:
        seconds = self._options.lease_seconds / BEATS_IN_LEASE
        while not self._stop.is_set():
            try:
                self._leases.renew()
                self._database_trouble = ""
                # After the database was away all leases look ended: the others need time too.
                if self._beats_well():
                    self.reap()
            except (sa.exc.SQLAlchemyError, AppError) as error:
                self._database_trouble = f"the database does not answer: {reason_of(error)}"
                self._beats_well_since = time.monotonic() + self._options.lease_seconds
            except Exception as error:  # of the engine: the next beat tries again
                self._database_trouble = f"{type(error).__name__}: {error}"
            self._stop.wait(seconds)

    def _beats_well(self) -> bool:
        return time.monotonic() >= self._beats_well_since

    async def _make_servers(self) -> Servers:
        options = self._options
        return Servers(options.urls, options.limits, options.make_client)

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._servers.close()


def log_nothing(task: Task, outcome: Outcome) -> None:
    """Report nothing."""
