# SPDX-License-Identifier: Apache-2.0
"""The addresses that a request's URI may lead to: public ones, and those the operator allows.

A server that fetches any URI can be led to targets that only the server reaches: its own admin
ports, the cloud's metadata service, the machines behind the firewall.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from trireel_backend.errors import SourceRefused, StartupError, Unavailable, VideoNotFound
from trireel_schema.networks import Network, may_be_reached, networks_of

Resolve = Callable[[str, int], Sequence[str]]
"""Function from a host and a port to numeric addresses; raises RequestError if there are none."""

NO_SUCH_HOST = (socket.EAI_NONAME, socket.EAI_NODATA)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated CIDR list.

    Raises:
        StartupError: if an entry is not a network, or has bits beyond its mask.
    """
    try:
        return networks_of(text)
    except ValueError as error:
        raise StartupError(f"allowed network: {error}: give CIDR, 10.1.0.0/16") from error


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return a host's addresses as the system resolves them.

    Raises:
        VideoNotFound: if no host has this name.
        Unavailable: if the name could not be looked up.
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        if isinstance(error, UnicodeError) or error.errno in NO_SUCH_HOST:
            raise VideoNotFound(f"there is no host {host!r}") from error
        raise Unavailable(f"host {host!r} could not be looked up: try again later") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in entries))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, judged by its name."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_addresses(
    host: str, port: int, resolve: Resolve, allowed: Sequence[Network]
) -> Sequence[str]:
    """Return the addresses of a host if the server may connect to all of them.

    Raises:
        SourceRefused: if the server must not connect to one of them. The message does not name
            the address of a host name, so that clients do not learn about this network.
    """
    addresses = resolve(host, port)
    for address in addresses:
        if not may_be_reached(address, allowed):
            verb = "is" if address == host else "leads to"
            raise SourceRefused(
                f"host {host!r} {verb} an address that is not public: this server fetches from"
                " public addresses and from networks that its operator allows"
            )
    return addresses
