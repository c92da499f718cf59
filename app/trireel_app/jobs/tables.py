# SPDX-License-Identifier: Apache-2.0
"""The tables of jobs and their videos, and patience while the database is away."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from trireel_app.engine import leases
from trireel_app.errors import LibraryError

P = ParamSpec("P")
T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

METADATA = sa.MetaData()
JOBS = sa.Table(
    "trireel_jobs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("output", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("facts", sa.Text),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)
VIDEOS = sa.Table(
    "trireel_videos",
    METADATA,
    sa.Column("job_id", sa.Text, sa.ForeignKey("trireel_jobs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("duration_seconds", sa.Double, nullable=False),
    sa.Column("outcome", sa.Text),
)
sa.Index("trireel_videos_by_state", VIDEOS.c.job_id, VIDEOS.c.state, VIDEOS.c.number)
EVENTS = sa.Table(
    "trireel_events",
    METADATA,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("video_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sqlite_autoincrement=True,  # the number of a removed event is not used again
)
sa.Index("trireel_events_of_video", EVENTS.c.video_id, EVENTS.c.id)
sa.Index("trireel_events_of_owner", EVENTS.c.owner, EVENTS.c.id)


def make_tables(database: sa.Engine) -> None:
    """Make the tables that are missing; raises LibraryError if the database cannot be used."""
    for attempt in range(2):
        try:
            METADATA.create_all(database)
            leases.METADATA.create_all(database)
            return
        except sa.exc.SQLAlchemyError as error:
            if attempt == 0 and isinstance(error, sa.exc.DBAPIError):
                time.sleep(FIRST_PAUSE_SECONDS)  # another process may have made them just now
                continue
            raise LibraryError(f"the database cannot be used: {reason_of(error)}") from error


def patient(function: Callable[P, T]) -> Callable[P, T]:
    """Repeat a method's transaction while the database is away.

    Its object has `patience_seconds`; then the method raises LibraryError.
    """

    @functools.wraps(function)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        patience_seconds: float = args[0].patience_seconds  # type: ignore[attr-defined]
        deadline = time.monotonic() + patience_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return function(*args, **kwargs)
            except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise LibraryError(f"the database is lost: {reason_of(error)}") from error
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    return repeated


def reason_of(error: BaseException) -> str:
    """Return the first line of the database's own message, without statement and values."""
    original = getattr(error, "orig", None) or error
    return (str(original).splitlines() or [type(original).__name__])[0]
