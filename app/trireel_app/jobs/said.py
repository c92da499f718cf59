# SPDX-License-Identifier: Apache-2.0
"""The tables of what was said of videos, and its removal with a video.

A turn of a chat belongs to the videos whose moments its answer was made of. If one of them is
removed, the turn goes too, whether it cites the video or not.
"""

import sqlalchemy as sa

from trireel_app.jobs.tables import METADATA

SESSIONS = sa.Table(
    "trireel_chat_sessions",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("video_id", sa.Text),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("used_at", sa.Double, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
)
TURNS = sa.Table(
    "trireel_chat_turns",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "session_id",
        sa.Text,
        sa.ForeignKey("trireel_chat_sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
)
TURN_VIDEOS = sa.Table(
    "trireel_chat_turn_videos",
    METADATA,
    sa.Column(
        "turn_id",
        sa.Integer,
        sa.ForeignKey("trireel_chat_turns.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("video_id", sa.Text, primary_key=True),
)
sa.Index("trireel_chat_sessions_by_owner", SESSIONS.c.owner, SESSIONS.c.used_at)
sa.Index("trireel_chat_turns_by_session", TURNS.c.session_id, TURNS.c.id)
sa.Index("trireel_chat_turn_videos_by_video", TURN_VIDEOS.c.video_id)


def forget(connection: sa.Connection, video_id: str) -> None:
    """Remove all that was said of a video: its sessions, and the turns of other sessions.

    A session that has no turn left is removed too.
    """
    turns = sa.select(TURN_VIDEOS.c.turn_id).where(TURN_VIDEOS.c.video_id == video_id)
    hit = sa.select(TURNS.c.session_id).where(TURNS.c.id.in_(turns)).distinct()
    sessions = list(connection.scalars(hit))
    connection.execute(sa.delete(TURNS).where(TURNS.c.id.in_(turns)))
    left = sa.select(TURNS.c.session_id)
    connection.execute(
        sa.delete(SESSIONS).where(
            (SESSIONS.c.video_id == video_id)
            | (SESSIONS.c.id.in_(sessions) & SESSIONS.c.id.not_in(left))
        )
    )
