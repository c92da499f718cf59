# SPDX-License-Identifier: Apache-2.0
"""Where the server is, how long to wait for it, and how often to ask again."""

import ipaddress
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
    """For a connection, and for answers that cost the server nothing: readiness, names."""
    request_seconds: float = DEFAULT_REQUEST_SECONDS
    """For the answer to one request, and for a stream from its start to its end, however often it
    breaks. Over HTTP it counts anew whenever the server sends something. Nothing is asked for again
    later than this after it was first asked for."""

    def __post_init__(self) -> None:
        for name in ("connect_seconds", "request_seconds"):
            if not 0 < getattr(self, name) <= LONGEST_SECONDS:  # also true for NaN
                raise ValueError(
                    f"{name} is {getattr(self, name)}: give a positive number up to"
                    f" {LONGEST_SECONDS:g}"
                )


@dataclass(frozen=True)
class Retry:
    """How often to ask again where the server was not available: `Retry(attempts=1)` never does.

    Only what may safely be asked twice is repeated, and nothing after a timeout. A stream that
    breaks is asked for anew, and goes on after the last chunk that was given; every chunk given
    earns it all attempts again. So does stepping through a video, as a new sequence.
    """

    attempts: int = 6
    """Requests made in all, the first included. With the pauses between them, they outlast the
    seconds in which a balancer still sends requests to a server that is going away."""
    first_wait_seconds: float = 0.2
    """Upper bound of the first pause, which is random; each further bound is twice the last."""
    longest_wait_seconds: float = 5.0
    """The bound grows no further than this."""
    longest_hint_seconds: float = 60.0
    """A server's or a proxy's own word on when to come back is followed up to this."""
    first_full_wait_seconds: float = 1.0
    """As `first_wait_seconds`, where the server is full and does not say when to come back; it
    doubles up to `longest_hint_seconds`."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}: give 1 or more")


@dataclass(frozen=True)
class Address:
    """A server's host and port."""

    host: str
    """Name or IP address, an IPv6 one without its brackets."""
    port: int
    """TCP port."""

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
        """Tell whether the server is reached without leaving this machine."""
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


def checked_protocol(protocol: str) -> Protocol:
    """Return a protocol this package speaks; raises ValueError for another."""
    for known in get_args(Protocol):
        if protocol == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"protocol is {protocol!r}: give 'grpc' or 'http'")
