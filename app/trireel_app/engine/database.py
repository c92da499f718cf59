# SPDX-License-Identifier: Apache-2.0
"""The database of jobs: a SQLite file on one machine, PostgreSQL for several."""

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trireel_app.errors import InvalidOption, LibraryError

VARIABLE = "TRIREEL_DATABASE"
"""Environment variable with the database's address, which may hold a password."""
BUSY_MS = 30_000
POOL_CONNECTIONS = 20
SQLITE = "sqlite"
POSTGRES = "postgresql"


def default_url() -> str:
    """Return the address in the environment, otherwise that of a file in this user's home."""
    if url := os.environ.get(VARIABLE):
        return url
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return str(Path(state) / "trireel/jobs.sqlite")


def open_database(url: str) -> sa.Engine:
    """Open a database: the path of a SQLite file, `sqlite:///PATH` or `postgresql://...`.

    The file is made if it is missing. A process that is killed loses nothing that was committed; a
    machine that loses power may lose the last moments, and the videos of these are analysed again.

    Raises:
        InvalidOption: if the address is of another kind.
        LibraryError: if the folder of the file cannot be made.
    """
    if "://" not in url:
        url = f"sqlite:///{os.path.abspath(url)}"
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise InvalidOption("the database's address cannot be read: give PATH or URL") from error
    kind = parsed.get_backend_name()
    if kind == SQLITE:
        return _sqlite(parsed)
    if kind in (POSTGRES, "postgres"):
        return _postgres(parsed.set(drivername="postgresql+psycopg"))
    raise InvalidOption(f"the database is {kind}: give a SQLite file or postgresql://...")


def shown(database: sa.Engine) -> str:
    """Return the database's address for people, without its password."""
    return database.url.render_as_string(hide_password=True)


def now_seconds(database: sa.Engine) -> "sa.ColumnElement[float]":
    """Return the expression of the database's own time in seconds, one clock for all machines."""
    if database.dialect.name == SQLITE:
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::float8", sa.Float)


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise InvalidOption("jobs need a database that lasts: give the path of a SQLite file")
    try:
        folder = Path(url.database).parent
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"the folder {str(folder)!r} cannot be made: {error}") from error
    database = sa.create_engine(url, pool_size=POOL_CONNECTIONS)

    @sa.event.listens_for(database, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        # Writers queue up instead of meeting in the middle of a transaction.
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        # With WAL a kill loses nothing, and no commit waits for the disk.
        connection.execute("PRAGMA synchronous=NORMAL")

    return database


def _postgres(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url,
        pool_size=POOL_CONNECTIONS,
        pool_pre_ping=True,  # the database may have been started again
        connect_args={"application_name": "trireel", "connect_timeout": 10},
    )
