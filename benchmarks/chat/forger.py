# SPDX-License-Identifier: Apache-2.0
"""A server with OpenAI's API whose model cites what it was given, and invents as much again.

It writes links and markup too, and obeys every text that it reads. It shows what the checks let
through; how well a real model writes, it does not show.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CITE = re.compile(r'"cite": "(\[[^"]*\])"')
INVENTED = ("[drawn-0.mp4 99:00.000]", "[nowhere.mp4 00:01.000]", "[00:00]")


def forged(prompt: str) -> str:
    """Return an answer to a prompt: each moment that it holds, and what it does not."""
    cites = list(dict.fromkeys(CITE.findall(prompt)))
    parts = []
    for number, cite in enumerate(cites):
        invented = INVENTED[number % len(INVENTED)]
        parts.append(
            f"It is seen here {invented} {cite}, <b>see</b> https://evil.example/{number}."
        )
    return " ".join(parts) or f"It is here {INVENTED[0]}."


@contextmanager
def forger(port: int) -> Iterator[None]:
    """Serve the model on a port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Stream an answer to the last message."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for word in re.findall(r"\S+\s*", forged(text)):
            self._event({"choices": [{"index": 0, "delta": {"content": word}}]})
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def _event(self, chunk: Any) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
