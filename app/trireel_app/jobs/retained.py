# SPDX-License-Identifier: Apache-2.0
"""Which videos, uploads and jobs have been kept long enough."""

import time
from collections.abc import Collection

import sqlalchemy as sa

from trireel_app.jobs.job import JobState
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.tables import JOBS, patient
from trireel_app.jobs.uploads import PENDING, UPLOADS, UploadRow, UploadState, row_of

AT_ONCE = 100


class Retained:
    """Looks for what may go; any number of gateways may do so at the same time."""

    def __init__(self, jobs: JobStore, patience_seconds: float = 5.0) -> None:
        self._jobs = jobs
        self.database = jobs.database
        self.patience_seconds = patience_seconds

    def expired(self) -> list[UploadRow]:
        """Return videos whose time is over and that no worker analyses, the oldest first."""
        return self._rows(
            UPLOADS.c.expires_at < time.time(),
            UPLOADS.c.state.not_in((UploadState.UPLOADING, UploadState.RUNNING)),
        )

    def unfinished(self) -> list[UploadRow]:
        """Return videos whose upload has not ended, the oldest first."""
        return self._rows(UPLOADS.c.state == UploadState.UPLOADING, limit=10 * AT_ONCE)

    @patient
    def largest_owner(self) -> str | None:
        """Return the owner whose files take the most room; None if there are none."""
        size_bytes = sa.func.sum(UPLOADS.c.size_bytes)
        statement = (
            sa.select(UPLOADS.c.owner)
            .where(UPLOADS.c.path != "", UPLOADS.c.state.not_in(PENDING))
            .group_by(UPLOADS.c.owner)
            .order_by(size_bytes.desc())
            .limit(1)
        )
        with self.database.connect() as connection:
            found: str | None = connection.scalar(statement)
            return found

    def oldest(self, owner: str) -> UploadRow | None:
        """Return the oldest video of an owner that has a file and has ended."""
        rows = self._rows(
            UPLOADS.c.owner == owner,
            UPLOADS.c.path != "",
            UPLOADS.c.state.not_in(PENDING),
            limit=1,
        )
        return rows[0] if rows else None

    @patient
    def unknown(self, video_ids: Collection[str]) -> set[str]:
        """Return those ids that no video has."""
        left = list(video_ids)
        known: set[str] = set()
        with self.database.connect() as connection:
            for first in range(0, len(left), AT_ONCE):
                some = UPLOADS.c.id.in_(left[first : first + AT_ONCE])
                known.update(connection.scalars(sa.select(UPLOADS.c.id).where(some)))
        return set(left) - known

    def old_jobs(self) -> list[str]:
        """Return jobs of watched videos that have ended, and that no video has any more."""
        needed = sa.select(UPLOADS.c.job_id).where(UPLOADS.c.job_id.is_not(None))
        ended = JOBS.c.state.in_((JobState.FINISHED, JobState.STOPPED))
        found = self._jobs.jobs(ended, JOBS.c.id.not_in(needed))
        return [job.id for job in found if job.spec.is_watched]

    @patient
    def _rows(self, *where: "sa.ColumnElement[bool]", limit: int = AT_ONCE) -> list[UploadRow]:
        statement = sa.select(UPLOADS).where(*where).order_by(UPLOADS.c.created_at).limit(limit)
        with self.database.connect() as connection:
            return list(map(row_of, connection.execute(statement).all()))
