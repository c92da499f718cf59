# SPDX-License-Identifier: Apache-2.0
"""Several servers: each request goes to the one with the fewest, and lost ones are waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from trireel_app.analyse.facts import ServerFacts, server_facts
from trireel_client import (
    AsyncTrireelClient,
    ServerFull,
    ServerUnavailable,
    TrireelError,
)

FACTS_SECONDS = 30.0  # a server that was idle this long may have been started with other files
LOOK_SECONDS = 0.5  # between looks at servers that are lost
FULL_SECONDS = 1.0  # a full server rests this long if it does not say how long
LONGEST_REST_SECONDS = 60.0


class NoServer(ServerUnavailable):
    """No server was ready in the time allowed."""


class OtherServer(TrireelError):
    """A server differs from the one that the other answers came from."""


@dataclass(frozen=True)
class ServerLimits:
    """How much one process requests of each server."""

    in_flight: int = 4
    """Number of requests in flight to one server."""
    per_minute: float | None = None
    """Number of requests that may begin in a minute at one server; None for any number."""
    wait_seconds: float = 300.0
    """Seconds to wait for a server if none is ready."""


@dataclass
class _Server:
    """One server, and what this process knows of it."""

    url: str
    client: AsyncTrireelClient
    in_flight: int = 0
    rests_until: float = 0.0
    """Time on the monotonic clock before which it gets no request."""
    is_lost: bool = False
    facts: ServerFacts | None = None
    used_at: float = 0.0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Lease:
    """A server for one request."""

    client: AsyncTrireelClient
    """Client of the server."""
    facts: ServerFacts
    """The server's facts."""


class Servers:
    """The servers of one process; belongs to one event loop."""

    def __init__(
        self,
        urls: Sequence[str],
        limits: ServerLimits,
        make_client: Callable[[str], AsyncTrireelClient],
    ) -> None:
        """Make the clients, inside the event loop; they connect at their first request."""
        self.limits = limits
        self._servers = [_Server(url, make_client(url)) for url in urls]
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def lease(self, expected: ServerFacts | None = None) -> AsyncIterator[Lease]:
        """Give a server that is ready for one more request, and take it back.

        A request that ends with ServerUnavailable marks its server as lost, until it is ready
        again; with ServerFull it lets the server rest.

        Args:
            expected: facts that the server must have; None for any.

        Raises:
            NoServer: if none is ready within `limits.wait_seconds`.
            OtherServer: if a server is ready but has other facts.
        """
        server = await self._acquire(expected)
        try:
            assert server.facts is not None
            yield Lease(server.client, server.facts)
        except ServerFull as full:
            seconds = full.retry_after_seconds or FULL_SECONDS
            server.rests_until = time.monotonic() + min(seconds, LONGEST_REST_SECONDS)
            raise
        except ServerUnavailable:
            server.is_lost = True
            raise
        finally:
            server.used_at = time.monotonic()
            await self._release(server)

    def lost(self) -> list[str]:
        """Return the addresses of the servers that are lost."""
        return [server.url for server in self._servers if server.is_lost]

    async def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            await server.client.close()

    async def _acquire(self, expected: ServerFacts | None) -> _Server:
        deadline = time.monotonic() + self.limits.wait_seconds
        while True:
            server = await self._next_free(deadline)
            try:
                await self._look(server)
                _check(server, expected)
                return server
            except ServerUnavailable as error:
                await self._release(server)
                if time.monotonic() >= deadline:
                    raise NoServer(self._none_ready(error)) from error
            except BaseException:
                await self._release(server)
                raise

    async def _next_free(self, deadline: float) -> _Server:
        """Return the best server with room, counted as used; waits while there is none."""
        async with self._changed:
            while True:
                now = time.monotonic()
                free = [s for s in self._servers if self._has_room(s, now)]
                if free:
                    # A lost server is looked at only if no other has room.
                    best = min(free, key=lambda s: (s.is_lost, s.in_flight, s.used_at))
                    best.in_flight += 1
                    if self.limits.per_minute:
                        best.rests_until = max(now, best.rests_until) + 60 / self.limits.per_minute
                    return best
                if now >= deadline and all(s.is_lost for s in self._servers):
                    raise NoServer(self._none_ready(None))
                try:
                    await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
                except TimeoutError:
                    pass

    def _has_room(self, server: _Server, now: float) -> bool:
        most = 1 if server.is_lost else self.limits.in_flight
        return server.in_flight < most and now >= server.rests_until

    async def _look(self, server: _Server) -> None:
        """Request a server's facts if they may have changed; raises TrireelError."""
        async with server.looking:
            idle_seconds = time.monotonic() - server.used_at
            is_known = server.facts is not None and not server.is_lost
            if is_known and (server.in_flight > 1 or idle_seconds < FACTS_SECONDS):
                return
            try:
                if not await server.client.is_ready("video_analysis"):
                    raise ServerUnavailable("it is not ready")
                server.facts = await server_facts(server.client)
            except ServerUnavailable:
                server.is_lost = True
                server.rests_until = time.monotonic() + LOOK_SECONDS
                raise
            server.is_lost = False
            server.used_at = time.monotonic()

    async def _release(self, server: _Server) -> None:
        async with self._changed:
            server.in_flight -= 1
            self._changed.notify_all()

    def _none_ready(self, error: ServerUnavailable | None) -> str:
        urls = ", ".join(server.url for server in self._servers)
        reason = f": {error}" if error else ""
        return f"no server was ready within {self.limits.wait_seconds:g} s at {urls}{reason}"


def _check(server: _Server, expected: ServerFacts | None) -> None:
    if expected is None or server.facts is None or server.facts == expected:
        return
    changes = "; ".join(expected.differences(server.facts))
    raise OtherServer(f"the server {server.url} differs from that of the first answers ({changes})")
