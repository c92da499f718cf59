# SPDX-License-Identifier: Apache-2.0
"""A server of the standard library that runs in a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

POLL_SECONDS = 0.02


@contextmanager
def in_thread(server: BaseServer) -> Iterator[None]:
    """Serve until the context ends; then no request is accepted, and the socket is closed."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
