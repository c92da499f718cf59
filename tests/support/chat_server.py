# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that speaks OpenAI's API, well or badly."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.serving import in_thread

WORDS = ("a ", "person ", "cooking")


@dataclass
class ChatServer:
    """The server's behaviour and what it has got; both may be used while it runs."""

    behaviour: str = "answers"
    """answers, slow, stalls, nonsense, empty, cut, whole, broken, busy, rejects or endless."""
    slow_seconds: float = 5.0
    """Time before the first word of a slow server, or before the second of one that stalls."""
    words: tuple[str, ...] = WORDS
    """Pieces of the answer."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """JSON body of each request."""
    keys: list[str] = field(default_factory=list)
    """Header Authorization of each request."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def chat_server(behaviour: str = "answers") -> Iterator[ChatServer]:
    """Run a server on a free port of loopback."""
    state = ChatServer(behaviour)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            state.bodies.append(json.loads(self.rfile.read(length)))
            state.keys.append(self.headers.get("Authorization", ""))
            _ANSWERS.get(state.behaviour, _stream)(self, state)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    with in_thread(server):
        yield state


def _head(handler: Any, status: int, kind: str, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Connection", "close")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.close_connection = True


def _event(handler: Any, chunk: Any) -> None:
    text = chunk if isinstance(chunk, str) else json.dumps(chunk)
    handler.wfile.write(f"data: {text}\n\n".encode())
    handler.wfile.flush()


def _delta(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}


def _stream(handler: Any, state: ChatServer) -> None:
    behaviour = state.behaviour
    if behaviour == "slow":
        time.sleep(state.slow_seconds)
    try:
        _head(handler, 200, "text/event-stream")
        handler.wfile.write(b": a comment\n\n")
        for number, word in enumerate(() if behaviour == "empty" else state.words):
            if number == 1 and behaviour == "cut":
                return
            if number == 1 and behaviour == "stalls":
                time.sleep(state.slow_seconds)
            _event(handler, _delta(word))
        while behaviour == "endless":
            _event(handler, _delta("x" * 4000))
        _event(handler, _delta("", "stop"))
        _event(handler, {"choices": [], "usage": {"completion_tokens": 7}})
        _event(handler, "[DONE]")
    except OSError:  # the client has gone away
        pass


def _nonsense(handler: Any, _: ChatServer) -> None:
    _head(handler, 200, "text/event-stream")
    _event(handler, '{"choices": 5}')


def _whole(handler: Any, _: ChatServer) -> None:
    _head(handler, 200, "application/json")
    handler.wfile.write(b'{"choices": [{"message": {"content": "a"}}]}')


def _error(status: int, **headers: str) -> Any:
    def answer(handler: Any, _: ChatServer) -> None:
        _head(handler, status, "application/json", **headers)
        handler.wfile.write(b'{"error": {"message": "no such thing"}}')

    return answer


_ANSWERS = {
    "nonsense": _nonsense,
    "whole": _whole,
    "broken": _error(500),
    "rejects": _error(400),
    "busy": _error(429, Retry_After="20"),
}
