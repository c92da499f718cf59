# SPDX-License-Identifier: Apache-2.0
"""Calls of webhooks that are due: in the database, so that no restart loses one."""

import enum
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app.jobs.tables import METADATA, patient
from trireel_app.jobs.uploads import UPLOADS, UploadState

FIRST_PAUSE_SECONDS = 10.0
PAUSE_FACTOR = 3.0
LONGEST_PAUSE_SECONDS = 6 * 3600.0
MOST_ATTEMPTS = 10
CLAIM_SECONDS = 60.0
"""Another gateway makes a call again whose gateway was killed, after so long."""
LOOK_BACK_SECONDS = 2 * 86_400.0
AT_ONCE = 16
ENDED = (UploadState.DONE, UploadState.FAILED, UploadState.CANCELLED)


class CallState(enum.StrEnum):
    """Where a call stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


CALLS = sa.Table(
    "trireel_webhook_calls",
    METADATA,
    sa.Column("video_id", sa.Text, primary_key=True),
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("error", sa.Text),
)
sa.Index("trireel_webhook_calls_due", CALLS.c.state, CALLS.c.due_at)


@dataclass(frozen=True)
class Call:
    """A call that this process has to make now."""

    video_id: str
    """Id of the video that has ended."""
    job_id: str
    """Job that has ended; a video that is tried again ends again."""
    attempts: int
    """Attempts, this one included."""


class WebhookCalls:
    """The calls of one database; any number of gateways may make them."""

    def __init__(self, database: sa.Engine, patience_seconds: float = 5.0) -> None:
        self.database = database
        self.patience_seconds = patience_seconds

    @patient
    def claim(self) -> list[Call]:
        """Return calls that are due, which no other process makes for a minute."""
        with self.database.begin() as connection:
            self._add_new(connection)
            now = time.time()
            is_due = CALLS.c.state == CallState.WAITING, CALLS.c.due_at <= now
            statement = sa.select(CALLS).where(*is_due).order_by(CALLS.c.due_at).limit(AT_ONCE)
            rows = connection.execute(statement.with_for_update(skip_locked=True)).all()
            for row in rows:
                values = {"due_at": now + CLAIM_SECONDS, "attempts": row.attempts + 1}
                connection.execute(sa.update(CALLS).where(*_of(row)).values(values))
        return [Call(row.video_id, row.job_id, row.attempts + 1) for row in rows]

    @patient
    def delivered(self, call: Call) -> None:
        """Note that a call was accepted."""
        self._set(call, state=CallState.DELIVERED, error=None)

    @patient
    def failed(self, call: Call, reason: str, *, for_good: bool = False) -> None:
        """Note that a call was not accepted; it is made again later, if attempts are left."""
        pause = FIRST_PAUSE_SECONDS * PAUSE_FACTOR ** (call.attempts - 1)
        is_last = for_good or call.attempts >= MOST_ATTEMPTS
        self._set(
            call,
            state=CallState.GIVEN_UP if is_last else CallState.WAITING,
            due_at=time.time() + min(pause, LONGEST_PAUSE_SECONDS),
            error=reason,
        )

    @patient
    def prune(self) -> int:
        """Remove calls of videos that are no more; return how many."""
        gone = CALLS.c.video_id.not_in(sa.select(UPLOADS.c.id))
        with self.database.begin() as connection:
            return connection.execute(sa.delete(CALLS).where(gone)).rowcount

    def _add_new(self, connection: sa.Connection) -> None:
        """Add a call for each video that has ended since the last look."""
        known = sa.exists().where(
            CALLS.c.video_id == UPLOADS.c.id, CALLS.c.job_id == UPLOADS.c.job_id
        )
        statement = sa.select(UPLOADS.c.id, UPLOADS.c.job_id).where(
            UPLOADS.c.webhook_url.is_not(None),
            UPLOADS.c.job_id.is_not(None),
            UPLOADS.c.state.in_(ENDED),
            UPLOADS.c.finished_at > time.time() - LOOK_BACK_SECONDS,
            ~known,
        )
        rows = [
            {
                "video_id": row.id,
                "job_id": row.job_id,
                "state": CallState.WAITING,
                "attempts": 0,
                "due_at": time.time(),
            }
            for row in connection.execute(statement)
        ]
        if rows:
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(CALLS), rows)
            except sa.exc.IntegrityError:
                pass  # another gateway has just added them

    def _set(self, call: Call, **values: object) -> None:
        with self.database.begin() as connection:
            connection.execute(sa.update(CALLS).where(*_of(call)).values(**values))


def _of(row: Any) -> Sequence["sa.ColumnElement[bool]"]:
    return CALLS.c.video_id == row.video_id, CALLS.c.job_id == row.job_id
