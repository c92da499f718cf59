# SPDX-License-Identifier: Apache-2.0
"""Which addresses are public: a process that connects to addresses of others must know.

Whoever names an address can lead it to targets that only this machine reaches: its own ports, the
cloud's metadata service, the machines behind the firewall.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

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
NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last 32 bits


def networks_of(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated CIDR list.

    Raises:
        ValueError: if an entry is not a network, or has bits beyond its mask.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def may_be_reached(address: str, allowed: Sequence[Network]) -> bool:
    """Return whether a numeric address is public or in an allowed network."""
    return is_in(address, allowed) or is_public(address)


def is_public(address: str) -> bool:
    """Return whether a numeric address is public; False for what is no address."""
    ip = _numeric(address)
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in (*NOT_PUBLIC_IPV4, AZURE_HOST))
    return (
        ip is not None
        and ip in PUBLIC_IPV6
        and not any(ip in network for network in NOT_PUBLIC_IPV6)
    )


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Return whether a numeric address is in one of some networks."""
    ip = _numeric(address)
    return ip is not None and any(ip in network for network in networks)


def _numeric(address: str) -> Address | None:
    """Return an address, or the IPv4 address that it contains; None if it is none."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
