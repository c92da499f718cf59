# SPDX-License-Identifier: Apache-2.0
"""The addresses that a webhook may lead to: public ones, and networks that the operator allows."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from trireel_app.gateway.failures import Invalid
from trireel_schema.networks import Network, is_in, is_public

MOST_LETTERS = 2048
PORTS = {"https": 443, "http": 80}
Resolve = Callable[[str, int], Sequence[str]]


class NotAllowed(Exception):
    """The address leads to a place that a webhook must not reach."""


@dataclass(frozen=True)
class Target:
    """A checked place to connect to."""

    scheme: str
    """`https` or `http`."""
    host: str
    """Name of the host, which its certificate has to have."""
    address: str
    """Numeric address that was checked, and that is connected to."""
    port: int
    """Port of the host."""
    path: str
    """Path and query."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the numeric addresses of a host; raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class WebhookRules:
    """Where webhooks may lead."""

    allowed: tuple[Network, ...] = ()
    """Networks that may be reached beside public addresses, by `http` too."""
    resolve: Resolve = resolve
    """Looks up host names."""

    def checked(self, url: str | None) -> str | None:
        """Return an address that may be kept, before its host is looked up; raises Invalid."""
        if url is None:
            return None
        try:
            parts = _parts(url)
        except NotAllowed as error:
            raise Invalid(f"the webhook's address cannot be used: {error}") from error
        if parts.scheme == "http" and not self.allowed:
            raise Invalid("the webhook's address begins with http://: send https://")
        return url

    def target(self, url: str) -> Target:
        """Look up and check the place of an address; blocks.

        Raises:
            NotAllowed: if one of its addresses must not be reached.
            OSError: if the host cannot be looked up.
        """
        parts = _parts(url)
        assert parts.hostname is not None
        port = parts.port or PORTS[parts.scheme]
        try:
            addresses = self.resolve(parts.hostname, port)
        except UnicodeError as error:
            raise NotAllowed("its host is no name") from error
        for address in addresses:
            may = is_in(address, self.allowed)
            if not may and (parts.scheme == "http" or not is_public(address)):
                raise NotAllowed("its host leads to an address that is not public")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, parts.hostname, addresses[0], port, path)


def _parts(url: str) -> SplitResult:
    if len(url) > MOST_LETTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise NotAllowed(f"send up to {MOST_LETTERS} letters of ASCII")
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise NotAllowed("it cannot be read") from error
    if not is_whole:
        raise NotAllowed("send https://HOST/PATH")
    if "@" in parts.netloc:
        raise NotAllowed("it has a user or password: leave them out")
    return parts
