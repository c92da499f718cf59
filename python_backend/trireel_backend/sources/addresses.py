# SPDX-License-Identifier: Apache-2.0
"""The addresses that a request's URI may lead to: public ones, and those the operator allows.

A server that fetches any URI can be led to targets that only the server reaches: its own admin
ports, the cloud's metadata service, the machines behind the firewall.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from trireel_backend.errors import SourceRefused, StartupError, Unavailable, VideoNotFound

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Function from a host and a port to numeric addresses; raises RequestError if there are none."""

# IANA's special-purpose registries. They are listed here because `ipaddress.is_global` differs
# between patch releases of Python.
NOT_PUBLIC_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
AZURE_HOST = IPv4Network("168.63.129.16/32")  # a public address at which the VM's own host answers
PUBLIC_IPV6 = IPv6Network("2000::/3")  # the only block assigned so far
NOT_PUBLIC_IPV6 = tuple(  # its special parts: protocols, Teredo, documentation, 6to4
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
NO_SUCH_HOST = (socket.EAI_NONAME, socket.EAI_NODATA)
NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last 32 bits


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated CIDR list.

    Raises:
        StartupError: if an entry is not a network, or has bits beyond its mask.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
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


def may_be_reached(address: str, allowed: Sequence[Network]) -> bool:
    """Return whether a numeric address is public or in an allowed network."""
    try:
        ip = _unwrap(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return _is_public(ip) or any(ip in network for network in allowed)


def _unwrap(ip: Address) -> Address:
    """Return the IPv4 address that an IPv6 address contains, if any, else the address itself."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _is_public(ip: Address) -> bool:
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in (*NOT_PUBLIC_IPV4, AZURE_HOST))
    return ip in PUBLIC_IPV6 and not any(ip in network for network in NOT_PUBLIC_IPV6)
