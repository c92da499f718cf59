# SPDX-License-Identifier: Apache-2.0
"""The clients of the servers, made in the event loop that uses them."""

from collections.abc import Callable

from trireel_client import AsyncTrireelClient, Retry, Timeout
from trireel_client._config import addresses

CONNECT_SECONDS = 3.0
REQUEST_SECONDS = 30.0


def patient_once(url: str) -> AsyncTrireelClient:
    """Return a client that tries once: the next server is the second try."""
    return AsyncTrireelClient(
        url, timeout=Timeout(CONNECT_SECONDS, REQUEST_SECONDS), retries=Retry(1)
    )


class Clients:
    """Clients of the servers, in order; belongs to the event loop of the first call."""

    def __init__(
        self,
        urls: tuple[str, ...],
        make_client: Callable[[str], AsyncTrireelClient] = patient_once,
    ) -> None:
        """Take the servers' addresses, HOST:PORT; raises InvalidAddress if one is none."""
        addresses(list(urls), "grpc")
        self.urls = urls
        self._make_client = make_client
        self._clients: dict[str, AsyncTrireelClient] = {}

    def all(self) -> list[AsyncTrireelClient]:
        """Return the clients; they connect at their first request."""
        for url in self.urls:
            if url not in self._clients:
                self._clients[url] = self._make_client(url)
        return list(self._clients.values())

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
