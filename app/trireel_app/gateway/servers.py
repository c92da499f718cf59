# SPDX-License-Identifier: Apache-2.0
"""How the servers are, looked at once for all who want to know."""

import asyncio
import time
from dataclasses import dataclass

from trireel_app.gateway.clients import Clients
from trireel_client import AsyncTrireelClient, ServerDetails, TrireelError

KEPT_SECONDS = 2.0
LOOK_SECONDS = 3.0
MODEL = "video_analysis"


@dataclass(frozen=True)
class ServerState:
    """How one server is."""

    url: str
    """Address of the server."""
    is_ready: bool
    """True if it analyses videos."""
    details: ServerDetails | None
    """What it offers; None if it did not answer."""


class ServerWatch:
    """Looks at the servers, at most once in two seconds; belongs to one event loop."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = asyncio.Lock()
        self._found: list[ServerState] = []
        self._at = float("-inf")

    async def states(self) -> list[ServerState]:
        """Return the state of each server."""
        async with self._lock:
            if time.monotonic() - self._at > KEPT_SECONDS:
                looks = map(_look, self._clients.urls, self._clients.all())
                self._found = list(await asyncio.gather(*looks))
                self._at = time.monotonic()
            return self._found


async def _look(url: str, client: AsyncTrireelClient) -> ServerState:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            is_ready = await client.is_ready(MODEL)
            details = await client.server_details() if is_ready else None
            return ServerState(url, is_ready, details)
    except (TrireelError, TimeoutError):
        return ServerState(url, False, None)
