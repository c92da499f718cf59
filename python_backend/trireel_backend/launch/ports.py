# SPDX-License-Identifier: Apache-2.0
"""The three ports of a server."""

import contextlib
import socket
from dataclasses import dataclass

from trireel_backend.errors import PortBusy

LOOPBACK = "127.0.0.1"
LOOPBACK_V6 = "::1"
EVERYWHERE = "0.0.0.0"
EVERY_ADDRESS = {EVERYWHERE: LOOPBACK, "::": LOOPBACK_V6}
"""For each address that stands for all of a machine's addresses, the one to connect to from it."""


@dataclass(frozen=True)
class Ports:
    """The ports on which a server listens."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002

    def __post_init__(self) -> None:
        if len({self.http, self.grpc, self.metrics}) != 3:
            raise PortBusy(f"got ports {self}: HTTP, gRPC and metrics need one each")

    @classmethod
    def free(cls) -> "Ports":
        """Return three ports of loopback that are free now."""
        with contextlib.ExitStack() as probes:
            sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
            for probe in sockets:
                probe.bind((LOOPBACK, 0))
            return cls(*(probe.getsockname()[1] for probe in sockets))


def check_ports(address: str, ports: Ports) -> None:
    """Check that a server can listen on an address and its ports.

    Raises:
        PortBusy: if it cannot listen on one of them.
    """
    for name, port in (("HTTP", ports.http), ("gRPC", ports.grpc), ("metrics", ports.metrics)):
        with socket.socket(_family(address), socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
            except OSError as error:
                raise PortBusy(
                    f"port {port} ({name}) on {address} cannot be used ({error.strerror}): stop"
                    f" the process that listens there, or choose another port with"
                    f" --{name.lower()}-port"
                ) from error


def authority(address: str, port: int) -> str:
    """Return host:port at which the same machine reaches a server that listens on an address."""
    host = EVERY_ADDRESS.get(address, address)
    return f"[{host}]:{port}" if _family(host) == socket.AF_INET6 else f"{host}:{port}"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
