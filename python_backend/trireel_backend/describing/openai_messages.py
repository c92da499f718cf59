# SPDX-License-Identifier: Apache-2.0
"""A question as an OpenAI-compatible server takes it, and the pieces that the server streams."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_backend.describing.backend import BackendFailed
from trireel_backend.describing.configuration import BackendConfig
from trireel_backend.describing.question import LENGTH, STOP, Piece, Question

JPEG_QUALITY = 88
MOST_ANSWER_CHARACTERS = 64_000
DATA, DONE = "data:", "[DONE]"
NONSENSE = "answers in another form than OpenAI's"


def body_of(question: Question, config: BackendConfig) -> dict[str, Any]:
    """Return the JSON body of a request to /chat/completions."""
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _data_uri(picture)}}
        for picture in (() if question.images is None else question.images)
    ]
    content.append({"type": "text", "text": question.prompt})
    messages: list[dict[str, Any]] = [
        *([{"role": "system", "content": question.system}] if question.system else []),
        *({"role": turn.role, "content": turn.content} for turn in question.history),
        {"role": "user", "content": content if question.images is not None else question.prompt},
    ]
    return {
        "model": config.model,
        "messages": messages,
        "max_tokens": question.max_tokens,
        "temperature": question.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        **({} if question.seed is None else {"seed": question.seed}),
    }


def _data_uri(picture: NDArray[np.uint8]) -> str:
    jpeg = io.BytesIO()
    Image.fromarray(picture).save(jpeg, "jpeg", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"


class Stream:
    """Reads the lines of a streamed answer, and keeps what they have said."""

    def __init__(self) -> None:
        self.tokens = 0
        self.characters = 0
        self.finish = ""
        self.is_done = False

    def read(self, line: str) -> Iterator[Piece]:
        """Yield the piece of a line, if there is one; raises BackendFailed."""
        if not line.startswith(DATA):  # comments, names of events and blank lines
            return
        data = line[len(DATA) :].strip()
        if data == DONE:
            self.is_done = True
            return
        text, finish = self._parts(data)
        if finish:
            self.finish = LENGTH if finish == "length" else STOP
        if text:
            self.characters += len(text)
            if self.characters > MOST_ANSWER_CHARACTERS:
                raise BackendFailed("does not end its answer")
            yield Piece(text, self.tokens)

    def last(self) -> Piece:
        """Return the last piece, which has no text; raises BackendFailed if the answer has no end.

        A server may end a stream without [DONE], but not without a reason to finish.
        """
        if not self.finish:
            raise BackendFailed("ended its answer too early" if self.characters else NONSENSE)
        return Piece("", self.tokens, self.finish)

    def _parts(self, data: str) -> tuple[str, str]:
        """Return text and reason to finish of a chunk."""
        try:
            chunk = json.loads(data)
            if "error" in chunk:
                raise BackendFailed(f"reports an error: {_excerpt(chunk['error'])}")
            usage = chunk.get("usage") or {}
            choices = chunk.get("choices") or []
            choice = choices[0] if choices else {}
            text = (choice.get("delta") or {}).get("content") or ""
            finish = choice.get("finish_reason") or ""
            if not isinstance(text, str) or not isinstance(finish, str):
                raise TypeError
            counted = usage.get("completion_tokens")
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise BackendFailed(NONSENSE) from error
        self.tokens = counted if type(counted) is int and counted >= 0 else self.tokens + bool(text)
        return text, finish


def _excerpt(error: Any) -> str:
    message = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(message).split())[:200]


def message_of_error(body: bytes) -> str:
    """Return the message of an error's JSON body, empty if it holds none."""
    try:
        return _excerpt(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
