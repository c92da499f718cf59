# SPDX-License-Identifier: Apache-2.0
"""Which names and sites a request may come by."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

ANY = "*"


def host_of(authority: str) -> str:
    """Return the host of `HOST` or `HOST:PORT` in small letters, without brackets; else empty."""
    if not authority or any(sign in authority for sign in "@/?#\\ \t"):
        return ""
    try:
        parts = urlsplit(f"//{authority}")
        parts.port  # noqa: B018 - raises ValueError if it is no port
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".")


def is_known_host(authority: str, hosts: Sequence[str]) -> bool:
    """Return whether a Host is one of ours; another may be a name bound to our address."""
    host = host_of(authority)
    return bool(host) and (ANY in hosts or host in hosts)


def is_same_origin(origin: str | None, authority: str) -> bool:
    """Return whether a request's Origin is the page of this very host and port.

    The scheme is not compared: a proxy may end TLS.
    """
    if not origin:
        return False
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == authority.lower()


def address_in(scope: Mapping[str, Any]) -> str:
    """Return the address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
