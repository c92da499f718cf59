# SPDX-License-Identifier: Apache-2.0
"""The chat for programs that speak OpenAI's API: `/v1/chat/completions`, and `/v1/models`."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, StreamingResponse

from trireel_app.chat.answers import (
    Answer,
    AnswerPiece,
    ChatEvent,
    ChatRequest,
    FoundMoments,
    answer_events,
)
from trireel_app.chat.question import MOST_CHARACTERS
from trireel_app.errors import AppError
from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.completions_json import (
    MODEL,
    Completion,
    CompletionRequestJson,
    Conversation,
    conversation_of,
    details_of,
    openai_error,
)
from trireel_app.gateway.depends import PartsOf, needs
from trireel_app.gateway.failures import TooLarge
from trireel_app.gateway.guard.failing import error_of
from trireel_app.gateway.routes.chat import SSE_HEADERS, clean, videos_for
from trireel_app.gateway.state import Parts
from trireel_client import TrireelError

END = "data: [DONE]\n\n"
Chatter = Annotated[Access, Depends(needs("chat"))]


class OpenAiRoute(APIRoute):
    """A route whose errors have OpenAI's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                told = error_of(error)
                if told.status == 500:
                    raise  # the guard logs it
                body = openai_error(told.status, told.kind, told.message)
                return JSONResponse(body, told.status, dict(told.headers))

        return handled


router = APIRouter(prefix="/v1", tags=["chat"], route_class=OpenAiRoute)


@router.get("/models")
def list_models(access: Chatter) -> dict[str, Any]:
    """List the one model, in OpenAI's shape."""
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}
    return {"object": "list", "data": [model]}


@router.post("/chat/completions", responses={200: {"content": {"text/event-stream": {}}}})
async def complete(body: CompletionRequestJson, access: Chatter, parts: PartsOf) -> Any:
    """Answer the last message of a conversation from the caller's videos, in OpenAI's shape.

    A part `{"type": "video", "video": ID}` of any message names a video to ask about; without one,
    all of the caller's are searched. Nothing is kept.
    """
    conversation = conversation_of(body)
    events = _events(parts, access, conversation)
    await anext(events)  # what can reject the question comes before it
    completion = Completion()
    if body.stream:
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        lines = _lines(completion, events, with_usage)
        return StreamingResponse(lines, media_type="text/event-stream", headers=SSE_HEADERS)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answer):
                return JSONResponse(completion.whole(event))
    raise AssertionError("the events end with the answer")


async def _events(
    parts: Parts, access: Access, conversation: Conversation
) -> AsyncGenerator[ChatEvent, None]:
    question = clean(conversation.question)
    if len(question) > MOST_CHARACTERS:
        raise TooLarge(f"the question has {len(question)} characters: {MOST_CHARACTERS} at most")
    with parts.chat.place(access.owner):
        videos = await asyncio.to_thread(videos_for, parts, access, conversation.videos)
        request = ChatRequest(
            text=question,
            videos=videos,
            history=conversation.history,
            wishes=conversation.wishes,
        )
        async with aclosing(answer_events(parts.chat.chat, request)) as events:
            async for event in events:
                yield event


async def _lines(
    completion: Completion, events: AsyncGenerator[ChatEvent, None], with_usage: bool
) -> AsyncIterator[str]:
    yield _line(completion.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(events):
            async for event in events:
                match event:
                    case AnswerPiece(text):
                        yield _line(completion.chunk({"content": text}))
                    case Answer():
                        yield _line(completion.chunk({}, "stop", trireel=details_of(event)))
                        if with_usage:
                            yield _line(completion.usage(event))
                    case FoundMoments():
                        pass
    except (AppError, TrireelError) as error:
        told = error_of(error)
        yield _line(openai_error(told.status, told.kind, told.message))
    yield END


def _line(data: Any) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
