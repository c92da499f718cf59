# SPDX-License-Identifier: Apache-2.0
"""Where a running server is asked, and with which certificates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tritonclient.grpc import InferenceServerClient

from trireel_backend.errors import MissingPart

CHANNEL_ARGUMENTS = [
    ("grpc.enable_http_proxy", 0),  # the environment's proxy is for other machines
    # By default a port that was not open yet is tried again after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


@dataclass(frozen=True)
class ClientTls:
    """What asks a server whose gRPC port wants TLS."""

    trusted: Path
    """Certificate, PEM, that the server's must be or be signed by."""
    server_name: str
    """Name the server's certificate is for: it is asked by address."""
    certificate: Path | None = None
    """To show to a server that wants to know its clients, PEM."""
    key: Path | None = None
    """Of that certificate, PEM."""


@dataclass(frozen=True)
class Endpoint:
    """A server's gRPC port."""

    url: str
    """Host and port."""
    tls: ClientTls | None = None

    def client(self) -> Any:
        """Return a tritonclient for this port; raises MissingPart where a file is not there."""
        if self.tls is None:
            return InferenceServerClient(self.url, channel_args=CHANNEL_ARGUMENTS)
        return InferenceServerClient(
            self.url,
            ssl=True,
            root_certificates=_existing(self.tls.trusted),
            certificate_chain=_existing(self.tls.certificate),
            private_key=_existing(self.tls.key),
            channel_args=[
                *CHANNEL_ARGUMENTS,
                ("grpc.ssl_target_name_override", self.tls.server_name),
            ],
        )


def _existing(path: Path | None) -> str | None:
    if path is not None and not path.is_file():
        raise MissingPart(f"{path} is not there: give a PEM file")
    return None if path is None else str(path)
