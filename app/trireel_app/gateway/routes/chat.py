# SPDX-License-Identifier: Apache-2.0
"""Questions about the caller's videos: as JSON, as events, over a WebSocket; and sessions."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from starlette.responses import StreamingResponse

from trireel_app.chat.answers import AnswerPiece, FoundMoments
from trireel_app.chat.conversation import KeptAnswer, converse
from trireel_app.chat.plain_text import CONTROLS
from trireel_app.errors import AppError, NoSession, SessionSpent
from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.chat_json import (
    AnswerJson,
    ChatSessionJson,
    ChatSessionsJson,
    QuestionJson,
    answer_json,
    event_json,
    session_json,
    summary_json,
)
from trireel_app.gateway.depends import PartsOf, needs, video_of
from trireel_app.gateway.failures import Conflict, Invalid, NotFound, TooManyRequests
from trireel_app.gateway.guard.failing import error_of
from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadState
from trireel_client import TrireelError

router = APIRouter(prefix="/v1/chat", tags=["chat"])
LOGGER = logging.getLogger("trireel.gateway")
Chatter = Annotated[Access, Depends(needs("chat"))]
Event = FoundMoments | AnswerPiece | KeptAnswer
Events = AsyncGenerator[Event, None]
MESSAGE_BYTES = 16 << 10
SSE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.post("", responses={200: {"content": {"text/event-stream": {}}}}, response_model=AnswerJson)
async def ask(body: QuestionJson, access: Chatter, parts: PartsOf) -> Any:
    """Answer a question, with citations that were checked.

    With `stream` the answer comes as server-sent events: `moments`, then a `piece` for each piece
    of the text, then `answer`. An `error` ends the events if something fails in the middle.
    """
    events = answered(parts, access, body)
    # The first event comes after everything that can reject the question: it has a status.
    first = await anext(events)
    if body.stream:
        lines = _lines(first, events)
        return StreamingResponse(lines, media_type="text/event-stream", headers=SSE_HEADERS)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, KeptAnswer):
                return answer_json(event.session_id, event.answer)
    raise AssertionError("the events end with the answer")


@router.websocket("/ws")
async def converse_by_socket(socket: WebSocket, access: Chatter, parts: PartsOf) -> None:
    """Answer questions one after another; each event is `{"event", "data"}`."""
    await socket.accept()
    try:
        while True:
            text = await socket.receive_text()
            parts.request_limits.count_owner(access.owner)
            if await asyncio.to_thread(parts.keys.access_by_id, access.key_id) is None:
                return await socket.close(1008, "the key has ended")
            async for name, data in _socket_events(parts, access, text):
                await socket.send_json({"event": name, "data": data})
    except WebSocketDisconnect:
        return None
    except TooManyRequests as error:
        await socket.close(1008, str(error))


@router.get("/sessions")
def list_sessions(access: Chatter, parts: PartsOf) -> ChatSessionsJson:
    """List the caller's sessions, the one that was used last first."""
    found = parts.chat.sessions.page(access.owner)
    return ChatSessionsJson(sessions=[summary_json(session) for session in found])


@router.get("/sessions/{session_id}")
def show_session(session_id: str, access: Chatter, parts: PartsOf) -> ChatSessionJson:
    """Show a session with all its questions and answers."""
    try:
        session = parts.chat.sessions.session(access.owner, session_id)
        return session_json(session, parts.chat.sessions.turns(access.owner, session_id))
    except NoSession as error:
        raise NotFound(str(error)) from error


@router.delete("/sessions/{session_id}", status_code=204)
def remove_session(session_id: str, access: Chatter, parts: PartsOf) -> Response:
    """Remove a session with all its questions and answers."""
    try:
        parts.chat.sessions.remove(access.owner, session_id)
    except NoSession as error:
        raise NotFound(str(error)) from error
    return Response(status_code=204)


async def answered(parts: Parts, access: Access, body: QuestionJson) -> Events:
    """Yield the events of an answer, and keep its turn.

    Raises:
        NotFound: if the video or the session is not the caller's.
        Conflict: if the video is not analysed yet.
        TooManyRequests: if the session is spent, or too many questions are being answered.
    """
    question = clean(body.question)
    try:
        with parts.chat.place(access.owner):
            session = None
            if body.session is not None:
                session = await asyncio.to_thread(
                    parts.chat.sessions.session, access.owner, body.session
                )
            video_id = body.video or (session.video_id if session else None)
            videos = await asyncio.to_thread(
                videos_for, parts, access, [video_id] if video_id else []
            )
            events = converse(
                parts.chat.chat,
                parts.chat.sessions,
                access.owner,
                question,
                videos,
                video_id=video_id,
                session=session,
            )
            async with aclosing(events):
                async for event in events:
                    yield event
    except NoSession as error:
        raise NotFound(str(error)) from error
    except SessionSpent as error:
        raise TooManyRequests(str(error)) from error


def videos_for(parts: Parts, access: Access, video_ids: list[str]) -> dict[str, str]:
    """Return the names of the caller's videos that may be searched, by their ids.

    Args:
        video_ids: ids of the videos; empty for all of the caller's that are analysed.

    Raises:
        NotFound: if one is not the caller's.
        Conflict: if one is not analysed yet.
    """
    if not video_ids:
        return parts.uploads.names(access.owner, parts.uploads.ids(access.owner))
    rows = [video_of(parts, access, video_id) for video_id in video_ids]
    if waiting := [row.name for row in rows if row.state is not UploadState.DONE]:
        raise Conflict(f"{waiting[0]!r} is not analysed: ask when it is")
    return {row.id: row.name for row in rows}


def clean(question: str) -> str:
    """Return a question without control characters; raises Invalid if nothing is left."""
    text = " ".join(CONTROLS.sub(" ", question).split())
    if not text:
        raise Invalid("the question is blank: give some words")
    return text


async def _lines(
    first: FoundMoments | AnswerPiece | KeptAnswer, events: Events
) -> AsyncIterator[str]:
    """Yield server-sent events; closed early, it cancels the answer."""
    async with aclosing(events):
        yield _line(*event_json(first))
        try:
            async for event in events:
                yield _line(*event_json(event))
        except (AppError, TrireelError) as error:
            yield _line("error", error_of(error).json)


def _line(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _socket_events(
    parts: Parts, access: Access, text: str
) -> AsyncGenerator[tuple[str, Any], None]:
    """Yield the events of the answer to one message; a fault of the message is an event too."""
    try:
        if len(text.encode()) > MESSAGE_BYTES:
            raise Invalid(f"the message is larger than {MESSAGE_BYTES} bytes")
        try:
            body = QuestionJson.model_validate_json(text)
        except ValidationError as error:
            raise Invalid('the message is no question: give {"question": ...}') from error
        async with aclosing(answered(parts, access, body)) as events:
            async for event in events:
                yield event_json(event)
    except (AppError, TrireelError) as error:
        yield "error", error_of(error).json
