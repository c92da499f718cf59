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
"""Addresses that stand for all of a machine's, and where such a server is asked from within."""


@dataclass(frozen=True)
class Ports:
    """Where the server listens."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002

    def __post_init__(self) -> None:
        if len({self.http, self.grpc, self.metrics}) != 3:
            raise PortBusy(f"got ports {self}: HTTP, gRPC and metrics need one each")

    @classmethod
    def free(cls) -> "Ports":
        """Return ports of loopback that nobody listens on now."""
        with contextlib.ExitStack() as probes:
            sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
            for probe in sockets:
                probe.bind((LOOPBACK, 0))
            return cls(*(probe.getsockname()[1] for probe in sockets))


def check_ports(address: str, ports: Ports) -> None:
    """Raise PortBusy unless the server can listen on an address and its ports."""
    for name, port in (("HTTP", ports.http), ("gRPC", ports.grpc), ("metrics", ports.metrics)):
        with socket.socket(_family(address), socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((address, port))
            except OSError as error:
                raise PortBusy(
                    f"port {port} ({name}) on {address} cannot be used ({error.strerror}): stop"
                    f" what listens there or choose another with --{name.lower()}-port"
                ) from error


def authority(address: str, port: int) -> str:
    """Return where a server that listens on an address is asked from the same machine."""
    host = EVERY_ADDRESS.get(address, address)
    return f"[{host}]:{port}" if _family(host) == socket.AF_INET6 else f"{host}:{port}"


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
