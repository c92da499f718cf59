# SPDX-License-Identifier: Apache-2.0
"""Any OpenAI-compatible server: vLLM, SGLang, llama.cpp, NIM, a cloud."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import httpx

from trireel_backend.describing.backend import BackendFailed
from trireel_backend.describing.configuration import BackendConfig, key_of
from trireel_backend.describing.openai_messages import NONSENSE, Stream, body_of, message_of_error
from trireel_backend.describing.question import Piece, Question

CONNECT_SECONDS = 5.0
MOST_LINE_CHARACTERS = 2**20
MOST_ERROR_BYTES = 2**16
TOO_MANY_REQUESTS = 429
QUESTION_STATUSES = (400, 413, 415, 422)
"""Statuses by which a server rejects a question, not all questions."""
DEFAULT_PAUSE_SECONDS, MOST_PAUSE_SECONDS = 10.0, 600.0


class OpenAIBackend:
    """Sends questions to /chat/completions, and reads the streamed answer."""

    def __init__(self, config: BackendConfig) -> None:
        """Open no connection yet; raises StartupError if the key is not set."""
        self.config = config
        key = key_of(config)
        self._url = f"{config.url.rstrip('/')}/chat/completions"
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # The dispatcher bounds the wait for each piece; this bounds a connection that hangs.
            timeout=httpx.Timeout(config.seconds, connect=min(CONNECT_SECONDS, config.seconds)),
            limits=httpx.Limits(max_connections=config.most_requests),
            follow_redirects=False,
        )

    async def ready(self) -> None:
        """Return at once: whether the server answers is known when it is asked."""

    async def pieces(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of an answer; raises BackendFailed."""
        stream = Stream()
        body = body_of(question, self.config)
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                await _check(response)
                async for line in _lines(response):
                    for piece in stream.read(line):
                        yield piece
                    if stream.is_done:
                        break
        except httpx.TimeoutException as error:
            raise BackendFailed("did not answer in time") from error
        except httpx.ConnectError as error:
            raise BackendFailed("is not reached") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeDecodeError) as error:
            raise BackendFailed(f"broke the connection ({type(error).__name__})") from error
        yield stream.last()

    async def close(self) -> None:
        """Close the connections."""
        with suppress(httpx.HTTPError):
            await self._client.aclose()


async def _check(response: httpx.Response) -> None:
    """Raise BackendFailed unless the server streams an answer."""
    status = response.status_code
    if status == httpx.codes.OK:
        if "json" in response.headers.get("content-type", ""):  # a whole answer was not requested
            raise BackendFailed(NONSENSE)
        return
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_ERROR_BYTES:
            break
    said = message_of_error(body)
    message = f"answers with HTTP status {status}{f': {said}' if said else ''}"
    pause = _pause_seconds(response) if status == TOO_MANY_REQUESTS else None
    raise BackendFailed(message, is_fault=status not in QUESTION_STATUSES, pause_seconds=pause)


def _pause_seconds(response: httpx.Response) -> float:
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:  # a date, or nothing
        return DEFAULT_PAUSE_SECONDS
    return min(max(seconds, 0.0), MOST_PAUSE_SECONDS)  # NaN becomes 0


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield lines, none longer than is allowed."""
    rest = ""
    async for text in response.aiter_text():
        rest += text
        *lines, rest = rest.split("\n")
        for line in lines:
            yield line.rstrip("\r")
        if len(rest) > MOST_LINE_CHARACTERS:
            raise BackendFailed(NONSENSE)
    if rest:
        yield rest
