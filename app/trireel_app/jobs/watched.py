# SPDX-License-Identifier: Apache-2.0
"""What a worker tells about watched videos while it analyses them.

Chunks only leave notes in memory. Every half a second the notes of all videos are written in one
transaction, so listeners cost an analysis nothing, however many there are.
"""

import asyncio
import json
import threading
import time
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from trireel_app.engine.database import now_seconds
from trireel_app.jobs.events import EventKind, NewEvent, append, state_event
from trireel_app.jobs.job import JobSpec, JobState, Outcome, VideoState
from trireel_app.jobs.store import Also
from trireel_app.jobs.tables import EVENTS, JOBS
from trireel_app.jobs.uploads import UPLOADS, UploadState
from trireel_app.jobs.usage import charge
from trireel_client import ChunkAnalysis, Tag

FLUSH_SECONDS = 0.5
BEAT_SECONDS = 5.0
"""A video's progress is renewed this often, so that a killed worker's videos can be told."""
MOST_EVENTS_OF_VIDEO = 5000
MOST_TAGS = 10


class Watched:
    """Notes about one video: a Watch."""

    def __init__(self, job_id: str, spec: JobSpec) -> None:
        assert spec.video_id is not None
        self.job_id = job_id
        self.video_id, self.owner = spec.video_id, spec.owner
        self._began = time.monotonic()
        self._stage, self._done = "fetch", 0
        self._total: int | None = None
        self._tags: list[dict[str, Any]] = []
        self._num_events = 0
        self._pending = [state_event(self.video_id, self.owner, "running")]
        self._is_changed = True
        self._written_at = 0.0
        self._lock = threading.Lock()

    def __call__(self, chunk: ChunkAnalysis) -> None:
        """Note a chunk that is ready."""
        with self._lock:
            self._stage = "store" if chunk.is_last else "analyse"
            self._done, self._total = chunk.index + 1, chunk.num_chunks
            self._is_changed = True
            for change in chunk.scene_changes:
                data = {"seconds": change.timestamp_seconds, "kind": change.kind}
                self._note(EventKind.SCENE, data)
            for caption in chunk.captions:
                times = {name: getattr(caption, name) for name in ("start_seconds", "end_seconds")}
                self._note(EventKind.CAPTION, {"text": caption.text, **times})
            if chunk.video_so_far is not None:
                self._tags = plain_tags(chunk.video_so_far.tags)

    def take(self) -> tuple[list[NewEvent], dict[str, Any] | None]:
        """Return what is to be written: events, and the progress if it changed or is old."""
        with self._lock:
            is_old = time.monotonic() > self._written_at + BEAT_SECONDS
            if not self._is_changed and not is_old:
                return [], None
            events, self._pending = self._pending, []
            progress = self._progress()
            if self._is_changed:
                if self._tags:
                    events.append(self._event(EventKind.TAGS, self._tags))
                    self._tags = []
                events.append(self._event(EventKind.PROGRESS, {**progress, "queue_place": None}))
            self._is_changed, self._written_at = False, time.monotonic()
            return events, progress

    def _progress(self) -> dict[str, Any]:
        eta_seconds = None
        if self._done and self._total:
            each = (time.monotonic() - self._began) / self._done
            eta_seconds = round(each * (self._total - self._done), 1)
        return {
            "stage": self._stage,
            "chunks_done": self._done,
            "chunks_total": self._total,
            "eta_seconds": eta_seconds,
        }

    def _note(self, kind: EventKind, data: Any) -> None:
        self._num_events += 1
        if self._num_events <= MOST_EVENTS_OF_VIDEO:
            self._pending.append(self._event(kind, data))

    def _event(self, kind: EventKind, data: Any) -> NewEvent:
        return NewEvent(self.video_id, self.owner, kind, data)


class Board:
    """Writes the notes of all videos that this process analyses."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._watched: set[Watched] = set()
        self._lock = threading.Lock()

    def begin(self, job_id: str, spec: JobSpec) -> Watched:
        """Return the notes of a video that begins."""
        watched = Watched(job_id, spec)
        with self._lock:
            self._watched.add(watched)
        return watched

    async def end(self, watched: Watched) -> None:
        """Write the last notes of a video."""
        with self._lock:
            self._watched.discard(watched)
        await asyncio.to_thread(self._write, [watched])

    async def run(self) -> None:
        """Write notes until the task is cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            with self._lock:
                watched = list(self._watched)
            if watched:
                await asyncio.to_thread(self._write, watched)

    def _write(self, watched: list[Watched]) -> None:
        taken = [(each, *each.take()) for each in watched]
        changed = [each for each in taken if each[2] is not None]
        if not changed:
            return
        # Notes are no results: if the database is away, they are lost and the analysis goes on.
        with suppress(sa.exc.SQLAlchemyError), self._database.begin() as connection:
            at = connection.scalar(sa.select(now_seconds(self._database)))
            running = _running(connection, [each.job_id for each, _, _ in changed])
            events: list[NewEvent] = []
            for each, found, progress in changed:
                if each.job_id in running:  # else it was cancelled
                    text = json.dumps({**(progress or {}), "at": at})
                    values = {"state": UploadState.RUNNING, "progress": text, "error": None}
                    _change(connection, each.video_id, values)
                    events += found
            append(connection, events)


def tell_settled(outcome: Outcome) -> Also:
    """Return the statements that tell the owner of a watched video how its analysis ended."""

    def tell(connection: sa.Connection, job_id: str) -> None:
        spec = _watched_spec(connection, job_id)
        if spec is None or spec.video_id is None:
            return
        is_done = outcome.state is VideoState.DONE
        _end(connection, spec, UploadState(outcome.state), outcome.reason or None, outcome)
        if is_done:
            charge(connection, spec.owner, outcome.duration_seconds)
        error = outcome.reason or None
        events = [state_event(spec.video_id, spec.owner, outcome.state, error)]
        if is_done:
            more = {"duration_seconds": outcome.duration_seconds, **outcome.summary}
            events.append(NewEvent(spec.video_id, spec.owner, EventKind.DONE, more))
        append(connection, events)

    return tell


def tell_stopped(reason: str, state: UploadState = UploadState.FAILED) -> Also:
    """Return the statements that tell the owner of a watched video that its job was stopped."""

    def tell(connection: sa.Connection, job_id: str) -> None:
        spec = _watched_spec(connection, job_id)
        if spec is not None and spec.video_id is not None:
            error = reason if state is UploadState.FAILED else None
            _end(connection, spec, state, error)
            append(connection, [state_event(spec.video_id, spec.owner, state, error)])

    return tell


def tell_queued(connection: sa.Connection, job_id: str) -> None:
    """Tell the owner of a watched video that it waits for its analysis, and keep its job's name."""
    spec = _watched_spec(connection, job_id)
    if spec is not None and spec.video_id is not None:
        values = {
            "state": UploadState.QUEUED,
            "job_id": job_id,
            "error": None,
            "finished_at": None,
            "progress": None,
        }
        _change(connection, spec.video_id, values)
        append(connection, [state_event(spec.video_id, spec.owner, UploadState.QUEUED)])


def plain_tags(tags: tuple[Tag, ...]) -> list[dict[str, Any]]:
    """Return the best tags as plain values."""
    return [{"text": tag.text, "probability": tag.probability} for tag in tags[:MOST_TAGS]]


def _watched_spec(connection: sa.Connection, job_id: str) -> JobSpec | None:
    text = connection.scalar(sa.select(JOBS.c.spec).where(JOBS.c.id == job_id))
    spec = None if text is None else JobSpec.from_json(text)
    return spec if spec is not None and spec.is_watched else None


def _running(connection: sa.Connection, job_ids: list[str]) -> set[str]:
    condition = JOBS.c.id.in_(job_ids), JOBS.c.state == JobState.RUNNING
    return set(connection.scalars(sa.select(JOBS.c.id).where(*condition)))


def _end(
    connection: sa.Connection,
    spec: JobSpec,
    state: UploadState,
    error: str | None,
    outcome: Outcome | None = None,
) -> None:
    """Keep how the analysis of a video ended; its events of progress go."""
    assert spec.video_id is not None
    values: dict[str, Any] = {"state": state, "error": error, "finished_at": time.time()}
    if outcome is not None and state is UploadState.DONE:
        values |= {
            "duration_seconds": outcome.duration_seconds,
            "num_scenes": outcome.summary.get("num_scenes"),
            "tags": json.dumps(outcome.summary.get("tags", [])[:MOST_TAGS]),
        }
    _change(connection, spec.video_id, values)
    progress = EVENTS.c.video_id == spec.video_id, EVENTS.c.kind == EventKind.PROGRESS
    connection.execute(sa.delete(EVENTS).where(*progress))


def _change(connection: sa.Connection, video_id: str, values: dict[str, Any]) -> None:
    connection.execute(sa.update(UPLOADS).where(UPLOADS.c.id == video_id).values(values))
