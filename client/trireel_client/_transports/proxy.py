# SPDX-License-Identifier: Apache-2.0
"""Which proxy gRPC uses to reach a server: it reads the environment itself and reports nothing.

The HTTP transport and the reader of metrics connect directly, whatever the environment says.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from trireel_client._config import Address

PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")
EXEMPTION_VARIABLES = ("no_grpc_proxy", "no_proxy")
NO_PROXY: tuple[str, int] = ("grpc.enable_http_proxy", 0)
"""Setting of a gRPC channel that connects directly."""


def proxy_notice(address: Address) -> str:
    """Return what an error message adds about the proxy of a gRPC channel; "" without a proxy.

    The rules are those of gRPC: of several variables the first one counts.
    """
    if address.is_loopback:
        return ""
    name = next((name for name in PROXY_VARIABLES if os.environ.get(name)), None)
    if name is None or _is_exempt(address.host):
        return ""
    return (
        f"; it was contacted through the proxy {_shown(os.environ[name])} (set by {name}):"
        f" for a direct connection add {address.host} to no_proxy"
    )


def _is_exempt(host: str) -> bool:
    exemptions = next((os.environ[name] for name in EXEMPTION_VARIABLES if name in os.environ), "")
    return any(_covers(entry.strip(), host) for entry in exemptions.split(",") if entry.strip())


def _covers(entry: str, host: str) -> bool:
    if host.lower().endswith(entry.lower()):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _shown(url: str) -> str:
    """Return a proxy's host and port, without the credentials that a URL may hold."""
    return urlsplit(url if "://" in url else f"//{url}").netloc.rpartition("@")[2]
