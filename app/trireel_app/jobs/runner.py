# SPDX-License-Identifier: Apache-2.0
"""One video of a job: claimed, analysed, its part of the output written, its outcome recorded."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from trireel_app import traces
from trireel_app.analyse.servers import Lease, NoServer, OtherServer, Servers
from trireel_app.analyse.video import SourceChanged, VideoResult, analyse_video
from trireel_app.engine.port import Answer, Task, TryAgain
from trireel_app.errors import LibraryError
from trireel_app.jobs.job import Form, JobSpec, JobState, Outcome, RowKind, VideoState
from trireel_app.jobs.library_video import LibraryVideos
from trireel_app.jobs.output import places
from trireel_app.jobs.output.parts import encoded, part_address
from trireel_app.jobs.output.rows import rows_of
from trireel_app.jobs.store import Claim, JobStore
from trireel_app.jobs.watched import tell_settled, tell_stopped
from trireel_client import (
    AnalysisOptions,
    RequestCancelled,
    RequestTimeout,
    ServerError,
    ServerFull,
    ServerUnavailable,
    TrireelError,
)

WORTH_A_RETRY = (
    ServerUnavailable,
    ServerError,
    RequestCancelled,
    RequestTimeout,
    SourceChanged,
)
"""Errors for which the same request may succeed a little later."""
SKIPPED: Mapping[str, Any] = {}
"""Answer of a task that needs no work, or whose job was stopped."""

Reporter = Callable[[Task, Outcome], None]
T = TypeVar("T")


class VideoRunner:
    """Runs the engine's tasks in an event loop of its own, where the servers' clients live."""

    def __init__(
        self,
        store: JobStore,
        servers: Servers,
        loop: asyncio.AbstractEventLoop,
        report: Reporter,
        library_videos: LibraryVideos,
    ) -> None:
        self._store = store
        self._library_videos = library_videos
        self._servers = servers
        self._loop = loop
        self._report = report
        self._running: dict[str, tuple[Task, Future[Answer]]] = {}

    async def attempt(self, task: Task, is_last: bool) -> Answer:
        """Make one attempt; see `Runner`."""
        future = asyncio.run_coroutine_threadsafe(self._attempt(task, is_last), self._loop)
        self._running[task.id] = task, future
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.cancelled() and not _is_being_cancelled():
                return SKIPPED  # the job was stopped, not this process
            raise
        finally:
            self._running.pop(task.id, None)

    async def settle(self, task: Task, answer: Answer) -> None:
        """Record an outcome; see `Runner`."""
        if not answer:
            return
        outcome = Outcome.from_json(answer)
        if await asyncio.to_thread(self._store.settle, task, outcome, tell_settled(outcome)):
            self._report(task, outcome)

    def jobs_in_flight(self) -> set[str]:
        """Return the jobs whose videos this process analyses now."""
        return {task.job_id for task, _ in list(self._running.values())}

    def cancel(self, job_id: str) -> None:
        """Cancel the requests of a job."""
        for task, future in list(self._running.values()):
            if task.job_id == job_id:
                future.cancel()

    async def _attempt(self, task: Task, is_last: bool) -> Answer:
        claim = await asyncio.to_thread(self._store.claim, task)
        if claim is None:
            return SKIPPED
        began = time.monotonic()
        try:
            with traces.span("analyse video", claim.spec.trace):
                outcome = await self._outcome(task, claim, is_last)
        except (OtherServer, NoServer, LibraryError) as error:
            # The next video would fare no better: the whole job waits for a person.
            await self._stop_job(task, str(error))
            return SKIPPED
        except TrireelError as error:
            if isinstance(error, WORTH_A_RETRY) and not is_last:
                raise TryAgain(str(error)) from error
            outcome = _failure(error)
        except Exception as error:  # a fault of ours fails one video, and the rest goes on
            outcome = _failure(error)
        return {**outcome.to_json(), "busy_seconds": time.monotonic() - began}

    async def _outcome(self, task: Task, claim: Claim, is_last: bool) -> Outcome:
        # What is kept is written off the event loop: it takes a while for long videos.
        if claim.spec.form is Form.LIBRARY:
            library = self._library_videos
            try:
                record = await self._on_server(
                    task, None, partial(library.record, task, claim, is_last=is_last)
                )
                return await asyncio.to_thread(library.keep, task, claim, record)
            finally:
                await library.end(task)
        options = request_options(claim.spec)

        def analyse(lease: Lease) -> Awaitable[VideoResult]:
            return analyse_video(lease.client, claim.source, options, lease.facts)

        result = await self._on_server(task, claim, analyse)
        return await asyncio.to_thread(_keep, task, claim.spec, result)

    async def _on_server(
        self, task: Task, pinned: Claim | None, work: Callable[[Lease], Awaitable[T]]
    ) -> T:
        """Work on a server that has room; on one with the facts of the job if `pinned` is given.

        A library is not pinned: it checks by itself that embeddings can be compared.
        """
        deadline = time.monotonic() + self._servers.limits.wait_seconds
        facts = None if pinned is None else pinned.facts
        while True:
            try:
                async with self._servers.lease(facts) as lease:
                    if pinned is not None and facts is None:
                        fix = self._store.fix_facts
                        facts = await asyncio.to_thread(fix, task.job_id, lease.facts)
                        if facts != lease.facts:
                            continue  # another worker was first, with another server
                    return await work(lease)
            except NoServer:
                raise
            except ServerFull:
                if time.monotonic() > deadline:
                    raise

    async def _stop_job(self, task: Task, reason: str) -> None:
        move = self._store.move
        running, stopped = JobState.RUNNING, JobState.STOPPED
        also = tell_stopped(reason)
        await asyncio.to_thread(move, task.job_id, running, stopped, reason, also)


def request_options(spec: JobSpec) -> AnalysisOptions:
    """Return the options of a job's requests."""
    with_embeddings = spec.form is Form.PARQUET and spec.rows is not RowKind.VIDEOS
    options = {**spec.options, "with_embeddings": with_embeddings or None}
    return options  # type: ignore[return-value]


def _keep(task: Task, spec: JobSpec, result: VideoResult) -> Outcome:
    """Write a video's part of the output; twice gives the same bytes. Raises LibraryError."""
    rows = rows_of(result, spec.rows)
    data = encoded(rows, spec)
    places.write(part_address(task.job_id, spec, task.number), data)
    return Outcome(
        state=VideoState.DONE,
        duration_seconds=result.analysis.duration_seconds,
        num_rows=len(rows),
        part_bytes=len(data),
        part_sha256=hashlib.sha256(data).hexdigest(),
        stamp=result.stamp,
        source=result.manifest.source,
    )


def _failure(error: Exception) -> Outcome:
    reason = str(error)
    if not isinstance(error, TrireelError):
        reason = f"internal error: {type(error).__name__}: {reason}"
    return Outcome(state=VideoState.FAILED, reason=reason, kind=type(error).__name__)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
