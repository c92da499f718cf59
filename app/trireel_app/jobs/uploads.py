# SPDX-License-Identifier: Apache-2.0
"""The videos of the gateway's owners: one row for each, from its upload to its removal."""

import enum
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app.engine.database import now_seconds
from trireel_app.jobs import said
from trireel_app.jobs.events import append, state_event
from trireel_app.jobs.tables import METADATA, patient

PATIENCE_SECONDS = 10.0
MOST_WAITING = 1000
"""Videos at most that are told their places in the queue."""
LOST_SECONDS = 20.0
"""A worker renews the progress of its videos four times in this time."""
ID_BYTES = 10  # an id has as many digits as the library's other ids

UPLOADS = sa.Table(
    "trireel_uploads",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("finished_at", sa.Double),
    sa.Column("expires_at", sa.Double),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("duration_seconds", sa.Double),
    sa.Column("error", sa.Text),
    sa.Column("job_id", sa.Text),
    sa.Column("options", sa.Text, nullable=False, server_default="{}"),
    sa.Column("webhook_url", sa.Text),
    sa.Column("num_scenes", sa.Integer),
    sa.Column("tags", sa.Text),
    sa.Column("progress", sa.Text),
)
sa.Index("trireel_uploads_by_state", UPLOADS.c.state, UPLOADS.c.created_at)
sa.Index("trireel_uploads_by_owner", UPLOADS.c.owner, UPLOADS.c.created_at, UPLOADS.c.id)


class UploadState(enum.StrEnum):
    """Where a video stands."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


PENDING = (UploadState.UPLOADING, UploadState.QUEUED, UploadState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class UploadRow:
    """A video of an owner."""

    id: str
    """Id of the video, here and in the library."""
    owner: str
    """Owner of the video."""
    name: str
    """Name that people see."""
    uri: str
    """Path or URI that is analysed."""
    path: str = ""
    """Path of the uploaded file; empty if the video came by URI."""
    state: UploadState = UploadState.QUEUED
    """Where it stands."""
    created_at: float
    """Time of its submission, seconds since 1970."""
    finished_at: float | None = None
    """Time at which its analysis ended; None before."""
    expires_at: float | None = None
    """Time at which it is removed; None if it is kept."""
    size_bytes: int | None = None
    """Size of the file; None if it is not known."""
    duration_seconds: float | None = None
    """Length of the video; None if it is not known."""
    error: str | None = None
    """Sentence that says why it failed."""
    job_id: str | None = None
    """Job that analyses it; None before it has one."""
    options: str = "{}"
    """Options of the analysis as JSON."""
    webhook_url: str | None = None
    """Address that is told of the end."""
    num_scenes: int | None = None
    """Number of scenes; None before the analysis."""
    tags: str | None = None
    """Best tags as a JSON list; None before the analysis."""
    progress: str | None = None
    """How far the analysis is, as a JSON object."""


def new_id() -> str:
    """Return a random id: 20 hexadecimal digits."""
    return secrets.token_hex(ID_BYTES)


class Uploads:
    """The videos of one database; any number of threads and processes may use it."""

    def __init__(self, database: sa.Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.database = database
        self.patience_seconds = patience_seconds

    @patient
    def add(self, row: UploadRow) -> None:
        """Add a video."""
        with self.database.begin() as connection:
            connection.execute(sa.insert(UPLOADS).values(**vars(row)))

    @patient
    def find(self, owner: str, video_id: str) -> UploadRow | None:
        """Return the video of an id if it is this owner's, otherwise None."""
        statement = sa.select(UPLOADS).where(UPLOADS.c.id == video_id, UPLOADS.c.owner == owner)
        with self.database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else row_of(row)

    @patient
    def get(self, video_id: str) -> UploadRow | None:
        """Return the video of an id, whoever owns it; None if there is none."""
        with self.database.connect() as connection:
            row = connection.execute(sa.select(UPLOADS).where(UPLOADS.c.id == video_id))
            found = row.one_or_none()
        return None if found is None else row_of(found)

    @patient
    def of_job(self, owner: str, job_id: str) -> UploadRow | None:
        """Return the video of a job if it is this owner's, otherwise None."""
        where = UPLOADS.c.owner == owner, UPLOADS.c.job_id == job_id
        with self.database.connect() as connection:
            row = connection.execute(sa.select(UPLOADS).where(*where)).one_or_none()
        return None if row is None else row_of(row)

    @patient
    def page(
        self,
        owner: str,
        limit: int,
        after: tuple[float, str] | None = None,
        state: UploadState | None = None,
        name_holds: str = "",
    ) -> list[UploadRow]:
        """Return videos of an owner, newest first.

        Args:
            limit: largest number of videos.
            after: time and id of the last video of the page before.
            state: state that they must have; None for any.
            name_holds: part of their names; upper and lower case are the same.
        """
        table = UPLOADS.c
        where: list[sa.ColumnElement[bool]] = [table.owner == owner]
        if after is not None:
            where.append(sa.tuple_(table.created_at, table.id) < sa.tuple_(*map(sa.literal, after)))
        if state is not None:
            where.append(table.state == state)
        if name_holds:
            where.append(table.name.icontains(name_holds, autoescape=True))
        statement = (
            sa.select(UPLOADS)
            .where(*where)
            .order_by(table.created_at.desc(), table.id.desc())
            .limit(limit)
        )
        with self.database.connect() as connection:
            return list(map(row_of, connection.execute(statement).all()))

    @patient
    def ids(self, owner: str) -> list[str]:
        """Return the ids of an owner's videos that have results."""
        statement = sa.select(UPLOADS.c.id).where(
            UPLOADS.c.owner == owner, UPLOADS.c.state == UploadState.DONE
        )
        with self.database.connect() as connection:
            return list(connection.scalars(statement))

    @patient
    def names(self, owner: str, video_ids: Sequence[str]) -> dict[str, str]:
        """Return the names of those videos that are this owner's, by their ids."""
        statement = sa.select(UPLOADS.c.id, UPLOADS.c.name).where(
            UPLOADS.c.owner == owner, UPLOADS.c.id.in_(set(video_ids))
        )
        with self.database.connect() as connection:
            return {row.id: row.name for row in connection.execute(statement)}

    @patient
    def pending(self, owner: str) -> int:
        """Return how many videos of an owner have not ended."""
        statement = sa.select(sa.func.count()).where(
            UPLOADS.c.owner == owner, UPLOADS.c.state.in_(PENDING)
        )
        with self.database.connect() as connection:
            return connection.scalar(statement) or 0

    @patient
    def waiting(self) -> list[tuple[str, str]]:
        """Return id and owner of the videos that wait for their analysis, the next one first."""
        statement = (
            sa.select(UPLOADS.c.id, UPLOADS.c.owner)
            .where(UPLOADS.c.state == UploadState.QUEUED)
            .order_by(UPLOADS.c.created_at, UPLOADS.c.id)
            .limit(MOST_WAITING)
        )
        with self.database.connect() as connection:
            return [(row.id, row.owner) for row in connection.execute(statement)]

    @patient
    def stored_bytes(self, *, pending: bool = False) -> int:
        """Return the size of all files together; of uploads in pieces their whole size.

        Args:
            pending: True for files alone whose videos have not ended.
        """
        where = [sa.or_(UPLOADS.c.path != "", UPLOADS.c.state == UploadState.UPLOADING)]
        if pending:
            where.append(UPLOADS.c.state.in_(PENDING))
        statement = sa.select(sa.func.coalesce(sa.func.sum(UPLOADS.c.size_bytes), 0))
        with self.database.connect() as connection:
            return int(connection.scalar(statement.where(*where)) or 0)

    @patient
    def requeue_lost(self) -> list[UploadRow]:
        """Let videos wait again whose worker gives no sign of life; return them."""
        is_running = UPLOADS.c.state == UploadState.RUNNING
        with self.database.begin() as connection:
            now = connection.scalar(sa.select(now_seconds(self.database))) or 0.0
            before = now - LOST_SECONDS
            rows = [row_of(row) for row in connection.execute(sa.select(UPLOADS).where(is_running))]
            lost = [row for row in rows if json.loads(row.progress or "{}").get("at", 0) < before]
            if lost:
                ids = [row.id for row in lost]
                values = {"state": UploadState.QUEUED, "progress": None}
                connection.execute(
                    sa.update(UPLOADS).where(UPLOADS.c.id.in_(ids), is_running).values(values)
                )
                events = [state_event(row.id, row.owner, UploadState.QUEUED) for row in lost]
                append(connection, events)
        return lost

    @patient
    def counts(self) -> dict[UploadState, int]:
        """Return how many videos of all owners are in each state."""
        statement = sa.select(UPLOADS.c.state, sa.func.count()).group_by(UPLOADS.c.state)
        with self.database.connect() as connection:
            found = {row[0]: row[1] for row in connection.execute(statement)}
        return {state: found.get(state, 0) for state in UploadState}

    @patient
    def change(
        self, video_id: str, values: Mapping[str, Any], states: Sequence[UploadState] = ()
    ) -> bool:
        """Change columns of a video; return False if it is not there, or in none of the states."""
        where = [UPLOADS.c.id == video_id]
        if states:
            where.append(UPLOADS.c.state.in_(states))
        with self.database.begin() as connection:
            changed = connection.execute(sa.update(UPLOADS).where(*where).values(**values))
        return changed.rowcount > 0

    @patient
    def forget(self, video_id: str) -> bool:
        """Remove the row of a video, and what was said of it; return whether it was there."""
        with self.database.begin() as connection:
            said.forget(connection, video_id)
            gone = connection.execute(sa.delete(UPLOADS).where(UPLOADS.c.id == video_id))
        return gone.rowcount > 0


def row_of(row: Any) -> UploadRow:
    """Return the video of a row of the table."""
    values = dict(row._mapping)
    return UploadRow(**{**values, "state": UploadState(values["state"])})
