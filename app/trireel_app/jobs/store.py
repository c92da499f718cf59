# SPDX-License-Identifier: Apache-2.0
"""Jobs and videos in the database. Each method is one transaction, and outlasts a restart of it."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app.analyse.facts import ServerFacts
from trireel_app.engine.port import Task
from trireel_app.errors import InvalidOption
from trireel_app.jobs.job import Job, JobSpec, JobState, Outcome, Progress, Video, VideoState
from trireel_app.jobs.records import facts_of_text, job_of_row, video_of_row
from trireel_app.jobs.tables import JOBS, VIDEOS, make_tables, patient
from trireel_app.sources.source import VideoSource

ROWS_AT_ONCE = 500
FEED_VIDEOS = 200
"""Videos of a job that the engine has at most; the others wait in our table."""

PATIENCE_SECONDS = 10.0
"""A person waits no longer for a database that is away."""
Enqueue = Callable[[sa.Connection, Sequence[Task]], None]
Also = Callable[[sa.Connection, str], None]
"""Further statements of a transaction, which get the job's name; they come last."""


@dataclass(frozen=True)
class Claim:
    """A video that a worker is about to analyse, and what its job says now."""

    source: VideoSource
    """The video."""
    spec: JobSpec
    """What was asked for."""
    facts: ServerFacts | None
    """Facts that the server must have; None before the job's first answer."""


class JobStore:
    """The jobs of one database; any number of threads and processes may use it."""

    def __init__(self, database: sa.Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Use a database, and make its tables if they are missing; raises LibraryError."""
        self.database = database
        self.patience_seconds = patience_seconds
        make_tables(database)

    @patient
    def create(
        self, spec: JobSpec, sources: Sequence[VideoSource], also: Also | None = None
    ) -> str:
        """Add a job with its videos; return its name."""
        # People type the names of batches.
        job_id = secrets.token_hex(8 if spec.is_watched else 4)
        rows = [
            {
                "job_id": job_id,
                "number": number,
                "uri": source.uri,
                "options": json.dumps(source.options),
                "state": VideoState.WAITING,
                "round": 0,
                "duration_seconds": 0.0,
            }
            for number, source in enumerate(sources)
        ]
        with self.database.begin() as connection:
            connection.execute(
                sa.insert(JOBS).values(
                    id=job_id,
                    key=spec.key(sources),
                    output=spec.output,
                    state=JobState.RUNNING,
                    note="",
                    spec=spec.to_json(),
                    total=len(rows),
                    created_at=time.time(),
                )
            )
            connection.execute(sa.insert(VIDEOS), rows)
            if also is not None:
                also(connection, job_id)
        return job_id

    @patient
    def jobs(self, *where: "sa.ColumnElement[bool]") -> list[Job]:
        """Return jobs, newest first; all of them, or those that meet all conditions."""
        with self.database.connect() as connection:
            statement = sa.select(JOBS).where(*where).order_by(JOBS.c.created_at.desc(), JOBS.c.id)
            rows = connection.execute(statement).all()
            return [job_of_row(row, self._progress(connection, row.id, row.total)) for row in rows]

    def job(self, job_id: str) -> Job:
        """Return the job of a name, or of the beginning of one; raises InvalidOption."""
        found = self.jobs(JOBS.c.id.startswith(job_id, autoescape=True))
        if len(found) != 1:
            problem = "there is no job" if not found else "there are several jobs"
            raise InvalidOption(f"{problem} {job_id!r}: `trireel jobs list` shows all")
        return found[0]

    def unfinished(self, output: str) -> list[Job]:
        """Return the jobs that are to write an output and have not finished."""
        return self.jobs(JOBS.c.output == output, JOBS.c.state != JobState.FINISHED)

    @patient
    def progress(self, job_id: str) -> Progress:
        """Return how far a job is."""
        with self.database.connect() as connection:
            total = connection.scalar(sa.select(JOBS.c.total).where(JOBS.c.id == job_id))
            return self._progress(connection, job_id, total or 0)

    @patient
    def feed(self, job: Job, enqueue: Enqueue) -> int:
        """Give waiting videos to the engine, no more than it may have; return how many."""
        with self.database.begin() as connection:
            queued = connection.scalar(
                sa.select(sa.func.count()).where(*_of(job.id, VideoState.QUEUED))
            )
            room = FEED_VIDEOS - (queued or 0)
            if room < FEED_VIDEOS // 2:
                return 0
            statement = (
                sa.select(VIDEOS.c.number, VIDEOS.c.round)
                .where(*_of(job.id, VideoState.WAITING))
                .order_by(VIDEOS.c.number)
                .limit(room)
                .with_for_update(skip_locked=True)
            )
            found = connection.execute(statement).all()
            if found:
                tasks = [Task(job.id, row.number, row.round, job.spec.attempts) for row in found]
                enqueue(connection, tasks)
                self._set_videos(connection, job.id, [t.number for t in tasks], VideoState.QUEUED)
            return len(found)

    @patient
    def claim(self, task: Task) -> Claim | None:
        """Return the video of a task; None if it needs no work, or its job is not running."""
        statement = (
            sa.select(VIDEOS.c.uri, VIDEOS.c.options, JOBS.c.spec, JOBS.c.facts)
            .join(JOBS, JOBS.c.id == VIDEOS.c.job_id)
            .where(*_of_task(task), JOBS.c.state == JobState.RUNNING)
        )
        with self.database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        source = VideoSource(row.uri, json.loads(row.options))
        return Claim(source, JobSpec.from_json(row.spec), facts_of_text(row.facts))

    @patient
    def settle(self, task: Task, outcome: Outcome, also: Also | None = None) -> bool:
        """Record how a video's analysis ended, once; return False if that is known already."""
        with self.database.begin() as connection:
            updated = connection.execute(
                sa.update(VIDEOS)
                .where(*_of_task(task))
                .values(
                    state=outcome.state,
                    duration_seconds=outcome.duration_seconds,
                    outcome=json.dumps(outcome.to_json()),
                )
            )
            if updated.rowcount > 0 and also is not None:
                also(connection, task.job_id)
        return updated.rowcount > 0

    @patient
    def fix_facts(self, job_id: str, facts: ServerFacts) -> ServerFacts:
        """Keep the facts of the job's first server; return those that are kept."""
        with self.database.begin() as connection:
            connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.id == job_id, JOBS.c.facts.is_(None))
                .values(facts=json.dumps(facts.to_json()))
            )
            kept = connection.scalar(sa.select(JOBS.c.facts).where(JOBS.c.id == job_id))
        return facts_of_text(kept) or facts

    @patient
    def move(
        self,
        job_id: str,
        before: JobState,
        after: JobState,
        note: str = "",
        also: Also | None = None,
    ) -> bool:
        """Change a job's state; return False if it is no longer the one before."""
        with self.database.begin() as connection:
            moved = connection.execute(
                sa.update(JOBS)
                .where(JOBS.c.id == job_id, JOBS.c.state == before)
                .values(state=after, note=note)
            )
            if moved.rowcount > 0 and also is not None:
                also(connection, job_id)
        return moved.rowcount > 0

    @patient
    def reopen(
        self,
        job_id: str,
        numbers: Sequence[int] = (),
        states: Sequence[VideoState] = (),
        also: Also | None = None,
    ) -> None:
        """Let a job run again, and videos wait again: those of `numbers`, and of these states."""
        with self.database.begin() as connection:
            changes = {"state": VideoState.WAITING, "round": VIDEOS.c.round + 1, "outcome": None}
            for first in range(0, len(numbers), ROWS_AT_ONCE):
                some = VIDEOS.c.number.in_(numbers[first : first + ROWS_AT_ONCE])
                connection.execute(
                    sa.update(VIDEOS).where(VIDEOS.c.job_id == job_id, some).values(changes)
                )
            connection.execute(
                sa.update(VIDEOS)
                .where(VIDEOS.c.job_id == job_id, VIDEOS.c.state.in_(states))
                .values(changes)
            )
            connection.execute(
                sa.update(JOBS).where(JOBS.c.id == job_id).values(state=JobState.RUNNING, note="")
            )
            if also is not None:
                also(connection, job_id)

    def videos(self, job_id: str, *where: "sa.ColumnElement[bool]") -> Iterator[Video]:
        """Yield a job's videos in order; all of them, or those that meet all conditions."""
        last = -1
        while page := self._page(job_id, last, where):
            yield from map(video_of_row, page)
            last = page[-1].number

    def has(self, job_id: str) -> bool:
        """Return whether there is a job of this very name."""
        return self.progress(job_id).total > 0

    @patient
    def erase(self, job_id: str) -> None:
        """Remove a job and its videos; its output stays."""
        with self.database.begin() as connection:
            connection.execute(sa.delete(VIDEOS).where(VIDEOS.c.job_id == job_id))
            connection.execute(sa.delete(JOBS).where(JOBS.c.id == job_id))

    @patient
    def _page(
        self, job_id: str, last: int, where: Sequence["sa.ColumnElement[bool]"]
    ) -> Sequence[Any]:
        statement = (
            sa.select(VIDEOS)
            .where(VIDEOS.c.job_id == job_id, VIDEOS.c.number > last, *where)
            .order_by(VIDEOS.c.number)
            .limit(ROWS_AT_ONCE)
        )
        with self.database.connect() as connection:
            return connection.execute(statement).all()

    def _progress(self, connection: sa.Connection, job_id: str, total: int) -> Progress:
        rows = connection.execute(
            sa.select(VIDEOS.c.state, sa.func.count(), sa.func.sum(VIDEOS.c.duration_seconds))
            .where(VIDEOS.c.job_id == job_id)
            .group_by(VIDEOS.c.state)
        ).all()
        counts = {state: count for state, count, _ in rows}
        seconds = {state: sum_seconds for state, _, sum_seconds in rows}
        return Progress(
            total=total,
            done=counts.get(VideoState.DONE, 0),
            failed=counts.get(VideoState.FAILED, 0),
            queued=counts.get(VideoState.QUEUED, 0),
            video_seconds=seconds.get(VideoState.DONE, 0.0),
        )

    def _set_videos(
        self, connection: sa.Connection, job_id: str, numbers: Sequence[int], state: VideoState
    ) -> None:
        connection.execute(
            sa.update(VIDEOS)
            .where(VIDEOS.c.job_id == job_id, VIDEOS.c.number.in_(numbers))
            .values(state=state)
        )


def _of(job_id: str, state: VideoState) -> Sequence["sa.ColumnElement[bool]"]:
    return VIDEOS.c.job_id == job_id, VIDEOS.c.state == state


def _of_task(task: Task) -> Sequence["sa.ColumnElement[bool]"]:
    """Return the conditions of a video that still waits for this very task."""
    return (
        *_of(task.job_id, VideoState.QUEUED),
        VIDEOS.c.number == task.number,
        VIDEOS.c.round == task.round,
    )
