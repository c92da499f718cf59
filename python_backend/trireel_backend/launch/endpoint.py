# SPDX-License-Identifier: Apache-2.0
"""The gRPC port of a running server, and the certificates to connect with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tritonclient.grpc import InferenceServerClient

from trireel_backend.errors import MissingPart

CHANNEL_ARGUMENTS = [
    ("grpc.enable_http_proxy", 0),  # the environment's proxy is for other machines
    # By default gRPC retries a port that was not open yet only after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


@dataclass(frozen=True)
class ClientTls:
    """Certificates for a client of a gRPC port with TLS, files in PEM."""

    trusted: Path
    """The server's certificate, or that of the authority that signed it."""
    server_name: str
    """Name in the server's certificate, since the client connects to an address."""
    certificate: Path | None = None
    """Client certificate, for a server that requires one."""
    key: Path | None = None
    """Key of the client certificate."""


@dataclass(frozen=True)
class Endpoint:
    """A server's gRPC port."""

    url: str
    """Host and port, as host:port."""
    tls: ClientTls | None = None
    """Certificates; None for a port without TLS."""

    def client(self) -> Any:
        """Return a tritonclient for this port.

        Raises:
            MissingPart: if a certificate file is missing.
        """
        if self.tls is None:
            return InferenceServerClient(self.url, channel_args=CHANNEL_ARGUMENTS)
        return InferenceServerClient(
            self.url,
            ssl=True,
            root_certificates=_checked_path(self.tls.trusted),
            certificate_chain=_checked_path(self.tls.certificate),
            private_key=_checked_path(self.tls.key),
            channel_args=[
                *CHANNEL_ARGUMENTS,
                ("grpc.ssl_target_name_override", self.tls.server_name),
            ],
        )


def _checked_path(path: Path | None) -> str | None:
    if path is not None and not path.is_file():
        raise MissingPart(f"{path} is not there: give a PEM file")
    return None if path is None else str(path)
