# SPDX-License-Identifier: Apache-2.0
"""A question within a session: its history goes in, the turn is kept."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from trireel_app.chat.answers import (
    Answer,
    AnswerPiece,
    Chat,
    ChatRequest,
    FoundMoments,
    answer_events,
)
from trireel_app.chat.sessions import ChatSessions, Session, history_of


@dataclass(frozen=True)
class KeptAnswer:
    """A whole answer and its session."""

    session_id: str | None
    """Id of the session; None if a video was removed meanwhile, and nothing was kept."""
    answer: Answer
    """The answer."""


async def converse(
    chat: Chat,
    sessions: ChatSessions,
    owner: str,
    question: str,
    videos: Mapping[str, str],
    *,
    video_id: str | None = None,
    session: Session | None = None,
) -> AsyncGenerator[FoundMoments | AnswerPiece | KeptAnswer, None]:
    """Yield what `answer_events` yields, and keep the turn before the last event.

    Args:
        owner: owner of the session.
        videos: name of each video that may be searched, by its id.
        video_id: video that the question is about; None for all of them.
        session: session of the question; None to begin one.

    Raises:
        SessionSpent: if the session has used up its tokens.
        NoSession: if the session was removed meanwhile.
    """
    history = []
    if session is not None:
        sessions.check_budget(session)
        history = await asyncio.to_thread(sessions.turns, owner, session.id)
    request = ChatRequest(text=question, videos=videos, history=history_of(history))
    async with aclosing(answer_events(chat, request)) as events:
        async for event in events:
            if not isinstance(event, Answer):
                yield event
                continue
            session_id = session.id if session else None
            kept = await asyncio.to_thread(
                sessions.keep, owner, session_id, question, event, video_id
            )
            yield KeptAnswer(kept, event)
