# SPDX-License-Identifier: Apache-2.0
"""Servers that speak TLS, and every way of asking them."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.certificates import Authority, Certificate
from unit.client.loopback import SERVERS
from unit.client.scripted import Script, ServerTls

from trireel_client import AsyncTrireelClient, Timeout, Tls, TrireelClient

WAYS = ("grpc", "http", "grpc-async")
TIMEOUT = Timeout(5.0, 10.0)
QUICK_SECONDS = 2.0  # less than any pauses between attempts would take


@dataclass(frozen=True)
class Papers:
    """Who is who: all that tests show and trust."""

    authority: Authority
    stranger: Authority
    """An authority that nobody asked."""
    localhost: Certificate
    loopback: Certificate
    """For 127.0.0.1."""
    example: Certificate
    """For video.example."""
    ended: Certificate
    """For localhost, until half an hour ago."""
    client: Certificate
    foreign: Certificate
    """The stranger signed it."""

    @classmethod
    def new(cls, folder: Path) -> "Papers":
        """Make them all."""
        authority, stranger = Authority(folder), Authority(folder, "stranger")
        return cls(
            authority,
            stranger,
            authority.sign("localhost", "localhost"),
            authority.sign("loopback", "127.0.0.1"),
            authority.sign("example", "video.example"),
            authority.sign("ended", "localhost", ended=True),
            authority.sign("client", "client"),
            stranger.sign("foreign", "foreign"),
        )

    def trusting(self, shown: Certificate | None = None, name: str | None = None) -> Tls:
        """Return a client's side that trusts the authority, and shows a certificate."""
        if shown is None:
            return Tls(self.authority.certificate, server_name=name)
        return Tls(self.authority.certificate, shown.certificate, shown.key, name)


@dataclass(frozen=True)
class Asking:
    """One way of asking, and the servers it can ask."""

    way: str

    @property
    def protocol(self) -> str:
        """The way's protocol."""
        return self.way.partition("-")[0]

    @contextmanager
    def serving(self, tls: ServerTls | None, script: Script | None = None) -> Iterator[str]:
        """Run a server; yields localhost:PORT."""
        with ExitStack() as stack:
            url = stack.enter_context(SERVERS[self.protocol](script or Script(), tls))
            yield url.replace("127.0.0.1", "localhost")

    def name(self, url: str, tls: Tls | None, **options) -> str:
        """Ask a server for its name, as patiently as by default."""
        options = {"timeout": TIMEOUT, **options}
        if self.way == "grpc-async":
            return asyncio.run(_name_async(url, tls, options))
        with TrireelClient(url, protocol=self.protocol, tls=tls, **options) as client:
            return client.server_info().name


async def _name_async(url: str, tls: Tls | None, options) -> str:
    async with AsyncTrireelClient(url, tls=tls, **options) as client:
        return (await client.server_info()).name


@contextmanager
def quickly() -> Iterator[None]:
    """Fail where nothing came of it soon: what cannot succeed is not tried again."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < QUICK_SECONDS
