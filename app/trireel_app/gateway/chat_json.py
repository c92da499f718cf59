# SPDX-License-Identifier: Apache-2.0
"""Questions, answers and sessions as JSON."""

from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, Field

from trireel_app.chat.answers import Answer, AnswerPiece, FoundMoments, Mode
from trireel_app.chat.conversation import KeptAnswer
from trireel_app.chat.question import MOST_CHARACTERS
from trireel_app.chat.sessions import Session, Turn
from trireel_app.chat.sightings import Sighting
from trireel_app.gateway.video_json import time_text


class QuestionJson(BaseModel):
    """A question about the caller's videos."""

    question: str = Field(min_length=1, max_length=MOST_CHARACTERS, examples=["Who is cooking?"])
    video: str | None = Field(None, max_length=64, description="Id of the video; null for all.")
    session: str | None = Field(None, max_length=64, description="Id of a session to go on with.")
    stream: bool = Field(False, description="True for server-sent events.")


class CitationJson(BaseModel):
    """A place in a video that the answer cites."""

    video: str
    name: str
    start_seconds: float
    end_seconds: float
    at_seconds: float
    text: str = Field(examples=["[sample.mp4 00:12.340]"])


class AnswerJson(BaseModel):
    """An answer; its text holds the citations."""

    session: str | None = Field(None, description="Null if a video was removed meanwhile.")
    answer: str
    citations: list[CitationJson]
    removed: list[str] = Field(description="Wrong citations that were taken out.")
    backend: str
    mode: Mode


class TurnJson(AnswerJson):
    """A question and its answer."""

    question: str
    at: str


class SessionSummaryJson(BaseModel):
    """A session without its turns."""

    id: str
    video: str | None
    title: str
    created_at: str
    used_at: str
    tokens: int


class ChatSessionJson(SessionSummaryJson):
    """A session."""

    turns: list[TurnJson]


class ChatSessionsJson(BaseModel):
    """The sessions of the caller, the one that was used last first."""

    sessions: list[SessionSummaryJson]


def answer_json(session_id: str | None, answer: Answer) -> AnswerJson:
    """Return an answer as JSON."""
    return AnswerJson(session=session_id, **_answer_values(answer))


def summary_json(session: Session) -> SessionSummaryJson:
    """Return a session without its turns as JSON."""
    return SessionSummaryJson(**_session_values(session))


def session_json(session: Session, turns: list[Turn]) -> ChatSessionJson:
    """Return a session as JSON."""
    found = [
        TurnJson(
            session=session.id,
            question=turn.question,
            at=time_text(turn.at),
            **_answer_values(turn.answer),
        )
        for turn in turns
    ]
    return ChatSessionJson(turns=found, **_session_values(session))


def event_json(event: FoundMoments | AnswerPiece | KeptAnswer) -> tuple[str, dict[str, Any]]:
    """Return name and data of an event of an answer."""
    if isinstance(event, FoundMoments):
        return "moments", {"moments": [_moment(sighting) for sighting in event.sightings]}
    if isinstance(event, AnswerPiece):
        return "piece", {"text": event.text}
    return "answer", answer_json(event.session_id, event.answer).model_dump(mode="json")


def _moment(sighting: Sighting) -> dict[str, Any]:
    picture = PurePath(sighting.thumbnail).stem
    base = f"/v1/videos/{sighting.video_id}/scenes"
    return {
        "video": sighting.video_id,
        "name": sighting.name,
        "start_seconds": sighting.start_seconds,
        "end_seconds": sighting.end_seconds,
        "at_seconds": sighting.at_seconds,
        "probability": sighting.probability,
        "thumbnail": f"{base}/{int(picture)}/thumbnail" if picture.isdecimal() else None,
    }


def _answer_values(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.text,
        "citations": [CitationJson(**vars(citation)) for citation in answer.citations],
        "removed": list(answer.removed),
        "backend": answer.backend,
        "mode": answer.mode,
    }


def _session_values(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "video": session.video_id,
        "title": session.title,
        "created_at": time_text(session.created_at),
        "used_at": time_text(session.used_at),
        "tokens": session.tokens,
    }
