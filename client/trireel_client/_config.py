# SPDX-License-Identifier: Apache-2.0
"""The server's address, how long to wait for answers, and how often to retry."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from trireel_client._errors import InvalidAddress

Protocol = Literal["grpc", "http"]

DEFAULT_URLS: dict[Protocol, str] = {"grpc": "127.0.0.1:8001", "http": "127.0.0.1:8000"}
DEFAULT_CONNECT_SECONDS = 10.0
DEFAULT_REQUEST_SECONDS = 600.0  # a long video, analysed whole on a small machine
# Over eleven days. gRPC and threads overflow at what they can wait, from 2**31 ms on.
LONGEST_SECONDS = 1e6


@dataclass(frozen=True)
class Timeout:
    """How long to wait: `Timeout(request_seconds=60)` allows a minute an answer."""

    connect_seconds: float = DEFAULT_CONNECT_SECONDS
    """Seconds for a connection, and for answers that cost the server nothing, such as readiness."""
    request_seconds: float = DEFAULT_REQUEST_SECONDS
    """Seconds for the answer to one request, and for a stream from its start to its end, however
    often it breaks. Over HTTP the time restarts whenever the server sends data. No request is
    repeated later than this after its first attempt."""

    def __post_init__(self) -> None:
        for name in ("connect_seconds", "request_seconds"):
            if not 0 < getattr(self, name) <= LONGEST_SECONDS:  # also true for NaN
                raise ValueError(
                    f"{name} is {getattr(self, name)}: give a positive number up to"
                    f" {LONGEST_SECONDS:g}"
                )


@dataclass(frozen=True)
class Retry:
    """How often to repeat a request if the server is not available; `Retry(attempts=1)`: never.

    The client repeats only requests that are safe to send twice, and never after a timeout. It
    opens a broken stream again and goes on after the last chunk that the caller has; every new
    chunk allows all attempts again. Stepping through a video does the same with a new sequence.
    """

    attempts: int = 6
    """Number of requests in all, the first included. With their pauses, the default outlasts the
    seconds in which a balancer still sends requests to a server that is stopping."""
    first_wait_seconds: float = 0.2
    """Upper bound of the first pause, which is random; the bound doubles with each pause."""
    longest_wait_seconds: float = 5.0
    """Largest upper bound of a pause."""
    longest_hint_seconds: float = 60.0
    """Longest pause that a server or a proxy can ask the client for."""
    first_full_wait_seconds: float = 1.0
    """Upper bound of the first pause if the server is full and does not say when to come back;
    the bound doubles up to `longest_hint_seconds`."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}: give 1 or more")


@dataclass(frozen=True)
class Address:
    """A server's host and port."""

    host: str
    """Name or IP address; an IPv6 address has no brackets here."""
    port: int
    """TCP port of the server."""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read `HOST:PORT`; raises InvalidAddress."""
        host, colon, port = url.rpartition(":")
        if "/" in url or not colon or not host or not port.isdecimal() or int(port) > 65535:
            raise InvalidAddress(f"{url!r} is not an address: give HOST:PORT, as in 127.0.0.1:8001")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise InvalidAddress(f"{url!r} is not an address: put an IPv6 host in brackets")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    @property
    def is_loopback(self) -> bool:
        """True if requests to the server do not leave this machine."""
        name = self.host.lower().rstrip(".")
        if name in ("localhost", "ip6-localhost") or name.endswith(".localhost"):
            return True
        try:
            ip = ipaddress.ip_address(self.host)
            mapped = getattr(ip, "ipv4_mapped", None) or ip
            return mapped.is_loopback or ip.is_unspecified  # 0.0.0.0 connects to this machine
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def addresses(url: str | Sequence[str] | None, protocol: Protocol) -> tuple[Address, ...]:
    """Return one or more servers' addresses; raises InvalidAddress."""
    urls = (DEFAULT_URLS[protocol],) if url is None else (url,) if isinstance(url, str) else url
    if not urls:
        raise InvalidAddress("url is an empty list: give one HOST:PORT or more")
    return tuple(Address.parse(each) for each in urls)


def checked_protocol(protocol: str) -> Protocol:
    """Return a protocol that this package supports; raises ValueError for another."""
    for known in get_args(Protocol):
        if protocol == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"protocol is {protocol!r}: give 'grpc' or 'http'")
