# SPDX-License-Identifier: Apache-2.0
"""A web server on loopback that does with each path what a test says."""

import contextlib
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.serving import in_thread


class Handler(BaseHTTPRequestHandler):
    """One request, handed to the test's function for its path."""

    protocol_version = "HTTP/1.1"
    server: "WebServer"

    def do_GET(self) -> None:
        self.server.requests.append(self)
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up
            self.server.answers[self.path.partition("?")[0]](self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int = 200, data: bytes = b"", **headers: Any) -> None:
        """Send a whole answer; `None` as a header's value leaves it out."""
        all_headers = {"Content-Length": len(data), "Connection": "close"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.send_response(status)
        for name, value in all_headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class WebServer(ThreadingHTTPServer):
    """Answers by path; what it was asked is in `requests`, in order."""

    daemon_threads = True

    def __init__(self, answers: Mapping[str, Callable[[Handler], None]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.requests: list[Handler] = []

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that refuses the certificate is what a test wants


@contextlib.contextmanager
def web_server(
    answers: Mapping[str, Callable[[Handler], None]], tls: ssl.SSLContext | None = None
) -> Iterator[WebServer]:
    """Run a server in a thread."""
    server = WebServer(answers)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with in_thread(server):
        yield server


def with_ranges(data: bytes, etag: str = '"v1"') -> Callable[[Handler], None]:
    """Return an answer as a file server gives it: ranges, conditions, a length."""

    def answer(handler: Handler) -> None:
        headers = handler.headers
        if etag and headers.get("If-None-Match") == etag:
            handler.answer(304, ETag=etag)
        elif headers.get("Range") and headers.get("If-Range", etag) == etag:
            start = int(headers["Range"].removeprefix("bytes=").partition("-")[0])
            span = f"bytes {start}-{len(data) - 1}/{len(data)}"
            handler.answer(206, data[start:], ETag=etag, Content_Range=span)
        else:
            handler.answer(200, data, **({"ETag": etag} if etag else {}))

    return answer
