# SPDX-License-Identifier: Apache-2.0
"""Events of watched videos: workers and gateways write them, gateways read them for listeners.

Events have numbers that grow in the order in which they can be read, in any process: a reader that
has event 7 has all events before it.
"""

import enum
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app.jobs.tables import EVENTS, make_tables, patient

WRITERS_LOCK = 0x7472_6972_6565_6C01
"""Key of the lock of PostgreSQL that lets one transaction at a time number events."""
MOST_EVENTS = 1000
"""Events that one look returns at most."""


class EventKind(enum.StrEnum):
    """What an event tells."""

    STATE = "state"
    PROGRESS = "progress"
    SCENE = "scene"
    CAPTION = "caption"
    TAGS = "tags"
    DESCRIPTION = "description"
    DONE = "done"
    DELETED = "deleted"


@dataclass(frozen=True)
class NewEvent:
    """An event that is about to be written."""

    video_id: str
    """Id of the video."""
    owner: str
    """Name of the person or key that the video belongs to."""
    kind: EventKind
    """What it tells."""
    data: Any
    """Its contents, as plain values for JSON."""


@dataclass(frozen=True)
class Event:
    """An event of a video."""

    id: int
    """Number of the event; later events have higher numbers."""
    video_id: str
    """Id of the video."""
    owner: str
    """Name of the person or key that the video belongs to."""
    kind: str
    """What it tells: a value of EventKind."""
    data: str
    """Its contents as JSON."""
    at: float
    """Time at which it was written, seconds since 1970."""


def append(connection: sa.Connection, events: Sequence[NewEvent]) -> None:
    """Write events as the last statement of a transaction."""
    if not events:
        return
    if connection.dialect.name == "postgresql":
        # A sequence numbers events before their commit: without this, 8 may be read before 7.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITERS_LOCK)))
    now = time.time()
    connection.execute(
        sa.insert(EVENTS),
        [
            {
                "video_id": event.video_id,
                "owner": event.owner,
                "kind": event.kind,
                "data": json.dumps(event.data, ensure_ascii=False),
                "at": now,
            }
            for event in events
        ],
    )


def state_event(video_id: str, owner: str, state: str, error: str | None = None) -> NewEvent:
    """Return the event of a video's new state."""
    return NewEvent(video_id, owner, EventKind.STATE, {"state": state, "error": error})


class EventLog:
    """Reads the events of a database; any number of threads and processes may use it."""

    def __init__(self, database: sa.Engine, patience_seconds: float = 10.0) -> None:
        """Use a database, and make its tables if they are missing; raises LibraryError."""
        self.database = database
        self.patience_seconds = patience_seconds
        make_tables(database)

    @patient
    def newest(self) -> int:
        """Return the number of the newest event; 0 without events."""
        with self.database.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(EVENTS.c.id))) or 0

    @patient
    def after(
        self,
        event_id: int,
        *,
        video_id: str | None = None,
        owner: str | None = None,
        limit: int = MOST_EVENTS,
    ) -> list[Event]:
        """Return events with a higher number in their order, of one video or owner, or all."""
        conditions = [EVENTS.c.id > event_id]
        if video_id is not None:
            conditions.append(EVENTS.c.video_id == video_id)
        if owner is not None:
            conditions.append(EVENTS.c.owner == owner)
        statement = sa.select(EVENTS).where(*conditions).order_by(EVENTS.c.id).limit(limit)
        with self.database.connect() as connection:
            return [Event(*row) for row in connection.execute(statement)]

    @patient
    def add(self, events: Sequence[NewEvent]) -> None:
        """Write events in a transaction of their own."""
        with self.database.begin() as connection:
            append(connection, events)

    @patient
    def replace(self, video_id: str, events: Sequence[NewEvent]) -> None:
        """Remove the events of a video, and write others."""
        with self.database.begin() as connection:
            connection.execute(sa.delete(EVENTS).where(EVENTS.c.video_id == video_id))
            append(connection, events)

    @patient
    def prune(self, before: float) -> int:
        """Remove events that were written before a time; return how many."""
        with self.database.begin() as connection:
            return connection.execute(sa.delete(EVENTS).where(EVENTS.c.at < before)).rowcount
