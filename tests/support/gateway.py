# SPDX-License-Identifier: Apache-2.0
"""Gateways for tests: an app with keys, called in process or served by uvicorn on loopback."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from trireel_app.gateway.access.keys import SCOPES
from trireel_app.gateway.app import make_app
from trireel_app.gateway.settings import GatewaySettings, Limits
from trireel_app.gateway.state import Parts

ORIGIN = "http://127.0.0.1:8080"


def gateway_settings(folder: Path, **changes: Any) -> GatewaySettings:
    """Return settings of a gateway whose files are all in a folder."""
    settings = GatewaySettings(
        database=str(folder / "jobs.sqlite"),
        library=str(folder / "library"),
        uploads=folder / "uploads",
        servers=("127.0.0.1:1",),
        limits=Limits(),
        audit_file=folder / "audit.jsonl",
    )
    return replace(settings, **changes)


@dataclass(frozen=True)
class Gateway:
    """An app that runs in this process, and a key of each of two owners."""

    app: FastAPI
    parts: Parts
    key: str
    """Key of the owner `anna` with all scopes but admin."""
    other_key: str
    """Key of the owner `ben`, the same."""
    admin_key: str
    """Key of `anna` with all scopes."""

    def client(self, key: str | None = "", **options: Any) -> httpx.AsyncClient:
        """Return a client that calls the app in process; by default with Anna's key."""
        chosen = self.key if key == "" else key
        headers = {} if chosen is None else {"Authorization": f"Bearer {chosen}"}
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5))
        return httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers=headers, timeout=30, **options
        )


def gateway_of(settings: GatewaySettings) -> Gateway:
    """Return an app with keys, whose lifespan has not begun."""
    app = make_app(settings)
    keys = app.state.parts.keys
    anna, ben = keys.create("anna"), keys.create("ben")
    return Gateway(app, app.state.parts, anna, ben, keys.create("anna", SCOPES))


@asynccontextmanager
async def gateway_app(folder: Path, **changes: Any) -> AsyncIterator[Gateway]:
    """Run an app with keys in this event loop; `changes` are fields of its settings."""
    gateway = gateway_of(gateway_settings(folder, **changes))
    async with gateway.app.router.lifespan_context(gateway.app):
        yield gateway


@dataclass(frozen=True)
class Served:
    """An app that uvicorn serves on loopback."""

    gateway: Gateway
    url: str

    def client(self, key: str | None = "", **options: Any) -> httpx.Client:
        """Return a client; by default with Anna's key."""
        chosen = self.gateway.key if key == "" else key
        headers = {} if chosen is None else {"Authorization": f"Bearer {chosen}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)


@contextmanager
def served(settings: GatewaySettings) -> Iterator[Served]:
    """Serve an app with keys by uvicorn in a thread, until the end."""
    gateway = gateway_of(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(gateway.app, log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        assert thread.is_alive(), "the gateway did not start"
        yield Served(gateway, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
