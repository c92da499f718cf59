# SPDX-License-Identifier: Apache-2.0
"""Sessions of a chat in the database: what an owner asked, and what was answered."""

import json
import re
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from trireel_app.chat.answers import Answer, Mode
from trireel_app.chat.citations import Citation
from trireel_app.chat.limits import ChatLimits
from trireel_app.errors import NoSession, SessionSpent
from trireel_app.jobs.said import SESSIONS, TURN_VIDEOS, TURNS
from trireel_app.jobs.tables import patient
from trireel_app.jobs.uploads import UPLOADS
from trireel_client import ChatTurn

PATIENCE_SECONDS = 10.0
ID_BYTES = 12
ID = re.compile(r"[0-9a-f]{24}")
TITLE_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session without its turns."""

    id: str
    """Id of the session."""
    video_id: str | None
    """Id of the video that it is about; None for the owner's whole library."""
    title: str
    """First question, shortened."""
    created_at: float
    """Time of the first question, seconds since 1970."""
    used_at: float
    """Time of the last question."""
    tokens: int
    """Number of tokens that it has spent."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A question and its answer."""

    question: str
    """The question."""
    answer: Answer
    """The answer."""
    at: float
    """Time of the answer, seconds since 1970."""


class ChatSessions:
    """The sessions of one database. All methods raise LibraryError if it does not answer."""

    def __init__(
        self,
        database: sa.Engine,
        limits: ChatLimits | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Use a database whose tables are made."""
        self.database = database
        self.limits = limits or ChatLimits()
        self.patience_seconds = patience_seconds

    @patient
    def session(self, owner: str, session_id: str) -> Session:
        """Return a session; raises NoSession if there is none, or it is another owner's."""
        with self.database.connect() as connection:
            return _session(connection, owner, session_id)

    def check_budget(self, session: Session) -> None:
        """Raise SessionSpent if one more question may spend more than the session has left."""
        largest = self.limits.prompt_tokens + self.limits.answer_tokens
        if session.tokens + largest > self.limits.session_tokens:
            raise SessionSpent(
                f"this session has spent {session.tokens} of {self.limits.session_tokens} tokens:"
                " begin another session"
            )

    @patient
    def page(self, owner: str) -> list[Session]:
        """Return an owner's sessions, the one that was used last first."""
        statement = (
            sa.select(SESSIONS)
            .where(SESSIONS.c.owner == owner)
            .order_by(SESSIONS.c.used_at.desc(), SESSIONS.c.id)
        )
        with self.database.connect() as connection:
            return list(map(_plain, connection.execute(statement).all()))

    @patient
    def turns(self, owner: str, session_id: str) -> list[Turn]:
        """Return the turns of a session in order; raises NoSession."""
        statement = sa.select(TURNS).where(TURNS.c.session_id == session_id).order_by(TURNS.c.id)
        with self.database.connect() as connection:
            _session(connection, owner, session_id)  # also checks the id
            return [
                Turn(question=row.question, answer=_answer(row.answer), at=row.at)
                for row in connection.execute(statement)
            ]

    @patient
    def keep(
        self,
        owner: str,
        session_id: str | None,
        question: str,
        answer: Answer,
        video_id: str | None = None,
    ) -> str | None:
        """Keep a turn, and remove turns and sessions that are too many, the oldest first.

        Nothing is kept if one of the videos was removed meanwhile.

        Args:
            session_id: session of the turn; None to begin one.
            video_id: video that a new session is about; None for the whole library.

        Returns:
            Id of the session; None if there is none and nothing was kept.

        Raises:
            NoSession: if the session was removed meanwhile.
        """
        with self.database.begin() as connection:
            if session_id is not None:
                _session(connection, owner, session_id)
            videos = {*answer.videos, *filter(None, [video_id])}
            if not _are_there(connection, owner, videos):
                return session_id
            if session_id is None:
                session_id = _begin(connection, owner, question, video_id)
            _add(connection, session_id, question, answer)
            _remove_oldest(connection, owner, session_id, self.limits)
            return session_id

    @patient
    def remove(self, owner: str, session_id: str) -> None:
        """Remove a session with its turns; raises NoSession."""
        with self.database.begin() as connection:
            _session(connection, owner, session_id)
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.id == session_id))


def history_of(turns: Sequence[Turn]) -> tuple[ChatTurn, ...]:
    """Return turns as the messages of a conversation."""
    return tuple(
        message
        for turn in turns
        for message in (ChatTurn("user", turn.question), ChatTurn("assistant", turn.answer.text))
    )


def _are_there(connection: sa.Connection, owner: str, video_ids: Collection[str]) -> bool:
    """Return whether videos are an owner's, and keep others from removing them until the end."""
    statement = sa.select(UPLOADS.c.id).where(UPLOADS.c.id.in_(video_ids), UPLOADS.c.owner == owner)
    return set(connection.scalars(statement.with_for_update(read=True))) == set(video_ids)


def _begin(connection: sa.Connection, owner: str, question: str, video_id: str | None) -> str:
    now = time.time()
    session = Session(
        id=secrets.token_hex(ID_BYTES),
        video_id=video_id,
        title=question[:TITLE_CHARACTERS],
        created_at=now,
        used_at=now,
        tokens=0,
    )
    connection.execute(sa.insert(SESSIONS).values(owner=owner, **vars(session)))
    return session.id


def _add(connection: sa.Connection, session_id: str, question: str, answer: Answer) -> None:
    now = time.time()
    values = {
        "session_id": session_id,
        "question": question,
        "answer": json.dumps(asdict(answer), ensure_ascii=False),
        "at": now,
    }
    turn_id = connection.scalar(sa.insert(TURNS).values(values).returning(TURNS.c.id))
    if answer.videos:
        rows = [{"turn_id": turn_id, "video_id": video_id} for video_id in answer.videos]
        connection.execute(sa.insert(TURN_VIDEOS), rows)
    spent = SESSIONS.c.tokens + answer.prompt_tokens + answer.answer_tokens
    connection.execute(
        sa.update(SESSIONS).where(SESSIONS.c.id == session_id).values(used_at=now, tokens=spent)
    )


def _remove_oldest(
    connection: sa.Connection, owner: str, session_id: str, limits: ChatLimits
) -> None:
    turns = (
        sa.select(TURNS.c.id)
        .where(TURNS.c.session_id == session_id)
        .order_by(TURNS.c.id.desc())
        .offset(limits.session_turns)
    )
    sessions = (
        sa.select(SESSIONS.c.id)
        .where(SESSIONS.c.owner == owner)
        .order_by(SESSIONS.c.used_at.desc(), SESSIONS.c.id)
        .offset(limits.sessions)
    )
    for table, oldest in ((TURNS, turns), (SESSIONS, sessions)):
        ids = list(connection.scalars(oldest))
        if ids:
            connection.execute(sa.delete(table).where(table.c.id.in_(ids)))


def _session(connection: sa.Connection, owner: str, session_id: str) -> Session:
    statement = sa.select(SESSIONS).where(SESSIONS.c.id == session_id, SESSIONS.c.owner == owner)
    # No database is asked for what cannot be an id: PostgreSQL takes no zero character.
    row = connection.execute(statement).one_or_none() if ID.fullmatch(session_id) else None
    if row is None:
        raise NoSession("there is no such session")
    return _plain(row)


def _plain(row: Any) -> Session:
    values = {name: row._mapping[name] for name in Session.__dataclass_fields__}
    return Session(**values)


def _answer(text: str) -> Answer:
    values = json.loads(text)
    return Answer(
        **{
            **values,
            "citations": tuple(Citation(**each) for each in values["citations"]),
            "removed": tuple(values["removed"]),
            "videos": tuple(values["videos"]),
            "mode": Mode(values["mode"]),
        }
    )
