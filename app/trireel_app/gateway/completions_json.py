# SPDX-License-Identifier: Apache-2.0
"""Requests and answers in the shape of OpenAI's chat completions."""

import secrets
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trireel_app.chat.answers import Answer
from trireel_app.chat.limits import tokens_of
from trireel_app.gateway.failures import Invalid
from trireel_client import ChatTurn

MODEL = "trireel"
MOST_MESSAGES = 200
MOST_PARTS = 50
MOST_LETTERS = 20_000


class TextPart(BaseModel):
    """A text."""

    type: Literal["text"]
    text: str = Field(max_length=MOST_LETTERS)


class VideoPart(BaseModel):
    """A video of the caller's, which the question is about."""

    type: Literal["video"]
    video: str = Field(max_length=64, description="Id of the video.")


Part = Annotated[TextPart | VideoPart, Field(discriminator="type")]
Text = Annotated[str, Field(max_length=MOST_LETTERS)]
Parts = Annotated[list[Part], Field(max_length=MOST_PARTS)]


class MessageJson(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Parts


class StreamOptionsJson(BaseModel):
    """Options of a stream."""

    include_usage: bool = False


class CompletionRequestJson(BaseModel):
    """A conversation whose last message is the question; fields that are not named are ignored."""

    model_config = ConfigDict(extra="ignore")

    messages: list[MessageJson] = Field(min_length=1, max_length=MOST_MESSAGES)
    model: str = Field(MODEL, max_length=200)
    stream: bool = False
    stream_options: StreamOptionsJson | None = None
    n: int | None = Field(None, ge=1, le=1)
    tools: list[Any] | None = Field(None, max_length=0)


class Conversation(BaseModel):
    """A conversation, taken apart."""

    question: str
    """Last message of the user."""
    history: tuple[ChatTurn, ...]
    """Messages before it."""
    wishes: str
    """Messages of the system, which say how to answer."""
    videos: list[str]
    """Ids of the videos that all messages name."""


def conversation_of(request: CompletionRequestJson) -> Conversation:
    """Return the parts of a conversation; raises Invalid if it does not end with a question."""
    *before, last = request.messages
    if last.role != "user":
        raise Invalid("messages must end with one of the role user")
    turns = tuple(
        ChatTurn(message.role, _text(message))
        for message in before
        if message.role in ("user", "assistant")
    )
    wishes = "\n".join(
        _text(message) for message in before if message.role in ("system", "developer")
    )
    videos = [
        part.video
        for message in request.messages
        if not isinstance(message.content, str)
        for part in message.content
        if isinstance(part, VideoPart)
    ]
    return Conversation(
        question=_text(last), history=turns, wishes=wishes, videos=list(dict.fromkeys(videos))
    )


class Completion:
    """The frame of one answer in OpenAI's shape."""

    def __init__(self) -> None:
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return a whole answer; `trireel` has its citations."""
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage_of(answer),
            "trireel": details_of(answer),
        }

    def chunk(
        self, delta: dict[str, str], finish: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Return a piece of a streamed answer."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **more}

    def usage(self, answer: Answer) -> dict[str, Any]:
        """Return the last piece of a stream that was asked to tell its tokens."""
        head = self._head("chat.completion.chunk")
        return {**head, "choices": [], "usage": usage_of(answer)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": MODEL}


def usage_of(answer: Answer) -> dict[str, int]:
    """Return the tokens of an answer; those of the prompts are estimates."""
    written = answer.answer_tokens or tokens_of(answer.text)
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": written,
        "total_tokens": answer.prompt_tokens + written,
    }


def details_of(answer: Answer) -> dict[str, Any]:
    """Return what an answer has beside its text."""
    return {
        "citations": [vars(citation) for citation in answer.citations],
        "removed": list(answer.removed),
        "backend": answer.backend,
        "mode": str(answer.mode),
    }


def openai_error(status: int, kind: str, message: str) -> dict[str, Any]:
    """Return an error in OpenAI's shape."""
    types: Sequence[tuple[int, str]] = (
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
    )
    default = "server_error" if status >= 500 else "invalid_request_error"
    found = dict(types).get(status, default)
    return {"error": {"message": message, "type": found, "param": None, "code": kind}}


def _text(message: MessageJson) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
