# SPDX-License-Identifier: Apache-2.0
"""A blocking connection by the name of its protocol."""

from collections.abc import Mapping

from trireel_client._config import Address, Protocol, Timeout
from trireel_client._transports.tls import Tls
from trireel_client._transports.wire import Transport


def connect(
    protocol: Protocol,
    address: Address,
    timeout: Timeout,
    headers: Mapping[str, str],
    tls: Tls | None,
) -> Transport:
    """Make a connection; each protocol's library is loaded with its first one."""
    if protocol == "grpc":
        from trireel_client._transports.grpc import GrpcTransport

        return GrpcTransport(address, timeout, headers, tls)
    from trireel_client._transports.http import HttpTransport

    return HttpTransport(address, timeout, headers, tls)
