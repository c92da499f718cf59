# SPDX-License-Identifier: Apache-2.0
"""Seconds of video that each owner had analysed: what a quota by cost is measured with."""

import time

import sqlalchemy as sa

from trireel_app.jobs.tables import METADATA, patient

PATIENCE_SECONDS = 10.0
KEPT_SECONDS = 35 * 86_400.0

USAGE = sa.Table(
    "trireel_usage",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("video_seconds", sa.Double, nullable=False),
)
sa.Index("trireel_usage_by_owner", USAGE.c.owner, USAGE.c.at)


def charge(connection: sa.Connection, owner: str, video_seconds: float) -> None:
    """Add the length of a video that was analysed; removes what is older than 35 days."""
    now = time.time()
    values = {"owner": owner, "at": now, "video_seconds": video_seconds}
    connection.execute(sa.insert(USAGE).values(values))
    connection.execute(sa.delete(USAGE).where(USAGE.c.at < now - KEPT_SECONDS))


class Usage:
    """The use of one database; any number of threads and processes may use it."""

    def __init__(self, database: sa.Engine, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.database = database
        self.patience_seconds = patience_seconds

    @patient
    def add(self, owner: str, video_seconds: float) -> None:
        """Add the length of a video that was analysed; removes what is older than 35 days."""
        with self.database.begin() as connection:
            charge(connection, owner, video_seconds)

    @patient
    def seconds(self, owner: str, within_seconds: float) -> float:
        """Return the seconds of video of an owner in the last `within_seconds`."""
        statement = sa.select(sa.func.coalesce(sa.func.sum(USAGE.c.video_seconds), 0.0)).where(
            USAGE.c.owner == owner, USAGE.c.at > time.time() - within_seconds
        )
        with self.database.connect() as connection:
            return float(connection.scalar(statement) or 0.0)
