# SPDX-License-Identifier: Apache-2.0
"""The job of one watched video: submitted, cancelled, and submitted again.

Each is one transaction, so a video's row never differs from its job.
"""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app import traces
from trireel_app.jobs.events import EventKind, EventLog, NewEvent
from trireel_app.jobs.job import CANCELLED, Form, JobSpec, JobState, RowKind
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.submit import check_options
from trireel_app.jobs.uploads import UPLOADS, UploadRow, Uploads, UploadState
from trireel_app.jobs.watched import tell_queued, tell_stopped
from trireel_app.sources.source import VideoSource

MAY_BE_CANCELLED = (UploadState.QUEUED, UploadState.RUNNING)
MAY_BE_RETRIED = (UploadState.FAILED, UploadState.CANCELLED)


class WrongState(Exception):
    """The video is not in a state that allows the change."""


@dataclass(frozen=True)
class WatchedJobs:
    """Jobs of one library's watched videos."""

    jobs: JobStore
    """Jobs of the database."""
    uploads: Uploads
    """Videos of the database."""
    events: EventLog
    """Events of the database."""
    library: str
    """Folder or `s3://` prefix of the library."""

    def submit(self, row: UploadRow, **changes: Any) -> str:
        """Make the job of a video whose upload is complete; return its name.

        Args:
            changes: columns of the video's row that change with it.

        Raises:
            InvalidOption: if an option of the analysis cannot be used.
            WrongState: if it was submitted, cancelled or removed meanwhile.
            LibraryError: if the database is lost.
        """
        uri = changes.get("uri", row.uri)
        return self._create(row, uri, (UploadState.UPLOADING,), changes)

    def retry(self, row: UploadRow) -> str:
        """Make a new job for a video that failed or was cancelled; raises as `submit` does."""
        if row.state not in MAY_BE_RETRIED:
            raise WrongState
        job_id = self._create(row, row.uri, MAY_BE_RETRIED, {})
        if row.job_id is not None and self.jobs.has(row.job_id):
            old = self.jobs.job(row.job_id)
            if old.state is JobState.FINISHED:  # else a worker may be about to end it
                self.jobs.erase(old.id)
        return job_id

    def cancel(self, row: UploadRow) -> None:
        """Stop the analysis of a video; raises WrongState, LibraryError."""
        if row.job_id is None or row.state not in MAY_BE_CANCELLED:
            raise WrongState
        tell = tell_stopped(CANCELLED, UploadState.CANCELLED)

        def also(connection: sa.Connection, job_id: str) -> None:
            _check_state(connection, row.id, MAY_BE_CANCELLED)
            tell(connection, job_id)

        states = JobState.RUNNING, JobState.STOPPED
        if not self.jobs.move(row.job_id, *states, CANCELLED, also):
            raise WrongState

    def erase(self, row: UploadRow) -> None:
        """Remove the job of a video; what a worker puts afterwards, it removes again."""
        if row.job_id is not None:
            self.jobs.erase(row.job_id)

    def forget(self, row: UploadRow) -> None:
        """Remove a video's row and events; its listeners are told."""
        self.uploads.forget(row.id)
        deleted = NewEvent(row.id, row.owner, EventKind.DELETED, {})
        self.events.replace(row.id, [deleted])

    def _create(
        self, row: UploadRow, uri: str, states: tuple[UploadState, ...], changes: dict[str, Any]
    ) -> str:
        spec = JobSpec(
            output=self.library,
            form=Form.LIBRARY,
            rows=RowKind.VIDEOS,
            options=json.loads(row.options),
            video_id=row.id,
            owner=row.owner,
            trace=traces.current(),
        )
        sources = [VideoSource(uri)]
        check_options(spec.options, sources)

        def also(connection: sa.Connection, job_id: str) -> None:
            _check_state(connection, row.id, states)
            if changes:
                of_video = UPLOADS.c.id == row.id
                connection.execute(sa.update(UPLOADS).where(of_video).values(**changes))
            tell_queued(connection, job_id)

        return self.jobs.create(spec, sources, also)


def _check_state(connection: sa.Connection, video_id: str, states: tuple[UploadState, ...]) -> None:
    """Raise WrongState, which ends the transaction, unless a video is in one of the states."""
    # A change locks the row, so that no other transaction passes the same check.
    changed = connection.execute(
        sa.update(UPLOADS)
        .where(UPLOADS.c.id == video_id, UPLOADS.c.state.in_(states))
        .values(id=UPLOADS.c.id)
    )
    if changed.rowcount == 0:
        raise WrongState
