# SPDX-License-Identifier: Apache-2.0
"""Events of videos as they come: by server-sent events and by WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, WebSocket
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs, own_video
from trireel_app.gateway.live import PING, Message, Publisher
from trireel_app.jobs.uploads import UploadRow

router = APIRouter(prefix="/v1", tags=["events"])

TRY_AGAIN_LATER = 1013
LAST_ID = Header(ge=0, description="Number of the last event that the listener has.")
AFTER = Query(ge=0, description="The same, for clients that cannot set a header.")


class EventStream(StreamingResponse):
    """Server-sent events that are encoded already.

    The framework's own class encodes each event for each listener anew: ten times the work.
    """

    media_type = "text/event-stream"


Reader = Annotated[Access, Depends(needs("videos:read"))]
OwnVideo = Annotated[UploadRow, Depends(own_video("videos:read"))]


@router.get("/videos/{video_id}/events", response_class=EventStream)
def events_of_video(
    video: OwnVideo,
    parts: PartsOf,
    last_event_id: Annotated[int | None, LAST_ID] = None,
    after: Annotated[int | None, AFTER] = None,
) -> EventStream:
    """Follow a video: first the events that are kept of it, then new ones as they come."""
    last = last_event_id if last_event_id is not None else after or 0
    return _sse(parts.publisher, video.owner, video.id, last)


@router.get("/events", response_class=EventStream)
def events_of_owner(
    access: Reader,
    parts: PartsOf,
    last_event_id: Annotated[int | None, LAST_ID] = None,
    after: Annotated[int | None, AFTER] = None,
) -> EventStream:
    """Follow all videos of the caller: new events as they come."""
    last = last_event_id if last_event_id is not None else after
    return _sse(parts.publisher, access.owner, None, last)


@router.websocket("/videos/{video_id}/ws")
async def socket_of_video(
    socket: WebSocket,
    video: OwnVideo,
    parts: PartsOf,
    after: Annotated[int, AFTER] = 0,
) -> None:
    """Follow a video by WebSocket."""
    await _send_all(socket, parts.publisher, video.owner, video.id, after)


@router.websocket("/ws")
async def socket_of_owner(
    socket: WebSocket, access: Reader, parts: PartsOf, after: Annotated[int | None, AFTER] = None
) -> None:
    """Follow all videos of the caller by WebSocket."""
    await _send_all(socket, parts.publisher, access.owner, None, after)


def _sse(publisher: Publisher, owner: str, video_id: str | None, after: int | None) -> EventStream:
    headers = {"X-Accel-Buffering": "no"}
    return EventStream(_encoded(publisher, owner, video_id, after), headers=headers)


async def _encoded(
    publisher: Publisher, owner: str, video_id: str | None, after: int | None
) -> AsyncIterator[bytes]:
    async with aclosing(publisher.follow(owner, video_id, after)) as batches:
        async for messages in batches:
            yield b"".join(message.sse for message in messages)


async def _send_all(
    socket: WebSocket, publisher: Publisher, owner: str, video_id: str | None, after: int | None
) -> None:
    """Send events until the client goes, or is too slow."""
    await socket.accept()
    sending = asyncio.ensure_future(_send(socket, publisher, owner, video_id, after))
    receiving = asyncio.ensure_future(_until_gone(socket))
    try:
        await asyncio.wait([sending, receiving], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)


async def _send(
    socket: WebSocket, publisher: Publisher, owner: str, video_id: str | None, after: int | None
) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the client is gone
        async with aclosing(publisher.follow(owner, video_id, after)) as batches:
            async for messages in batches:
                for message in filter(_is_event, messages):
                    await socket.send_text(message.text)
        await socket.close(TRY_AGAIN_LATER)


def _is_event(message: Message) -> bool:
    return message is not PING  # a WebSocket has pings of its own


async def _until_gone(socket: WebSocket) -> None:
    """Read what the client sends, which means nothing, until it goes."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
