# SPDX-License-Identifier: Apache-2.0
"""A web server on loopback with the clips, and with some paths that fail."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from support.web import Handler, WebServer, web_server, with_ranges

STALL_SECONDS = 60.0  # more than the server waits for a source
HEAD_BYTES = 1_000


@contextlib.contextmanager
def serving(media: Path, names: tuple[str, ...]) -> Iterator[WebServer]:
    """Serve files by name, and `/stalls`, `/breaks`, `/denied`, `/away`, `/packed`."""
    ended = threading.Event()
    data = (media / names[0]).read_bytes()

    def stalls(handler: Handler) -> None:
        _begin(handler, data)
        ended.wait(STALL_SECONDS)

    def breaks(handler: Handler) -> None:
        _begin(handler, data)

    answers = {
        **{f"/{name}": with_ranges((media / name).read_bytes(), f'"{name}"') for name in names},
        "/stalls": stalls,
        "/breaks": breaks,
        "/denied": lambda handler: handler.answer(403),
        "/away": lambda handler: handler.answer(302, Location="http://169.254.169.254/x"),
        "/packed": lambda handler: handler.answer(200, data, Content_Encoding="gzip"),
        "/gone": lambda handler: handler.answer(404),
    }
    with web_server(answers) as server:
        try:
            yield server
        finally:
            ended.set()


def _begin(handler: Handler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:HEAD_BYTES])
    handler.wfile.flush()
