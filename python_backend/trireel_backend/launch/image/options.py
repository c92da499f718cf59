# SPDX-License-Identifier: Apache-2.0
"""What a server in a container is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.endpoint import ClientTls
from trireel_backend.launch.model_options import ModelOptions
from trireel_backend.launch.ports import Ports


@dataclass(frozen=True)
class GrpcTls:
    """Certificates of the gRPC port, files in PEM."""

    certificate: Path
    """The server's, followed by those between it and its authority."""
    key: Path
    client_ca: Path | None = None
    """Authority that clients' certificates must be signed by; None where clients need none."""
    server_name: str = "localhost"
    """A name in the certificate, for the server's own checks."""
    probe_certificate: Path | None = None
    """Client certificate for the server's own checks."""
    probe_key: Path | None = None

    def __post_init__(self) -> None:
        given = (self.certificate, self.key, self.client_ca, self.probe_certificate, self.probe_key)
        for path in given:
            if path is not None and not path.is_file():
                raise StartupError(f"{path} is not there: give a PEM file")
        if (self.probe_certificate is None) != (self.probe_key is None):
            raise StartupError("give both --probe-certificate and --probe-key, or neither")
        if self.client_ca is not None and self.probe_certificate is None:
            raise StartupError(
                "with --grpc-client-ca the server's own checks need a client certificate too: give"
                " --probe-certificate and --probe-key"
            )

    def of_checks(self) -> ClientTls:
        """Return how the server is asked from within; its own certificates are all it trusts."""
        return ClientTls(self.certificate, self.server_name, self.probe_certificate, self.probe_key)


@dataclass(frozen=True)
class Tracing:
    """Where OpenTelemetry spans go."""

    url: str
    """OTLP over HTTP: http://collector:4318/v1/traces."""
    rate: int = 100
    """One of so many requests is traced; 0 for those alone that bring a trace of their own."""


@dataclass(frozen=True)
class ContainerOptions:
    """What the server in a container is started with."""

    triton: Path
    models: Path
    export: Path
    media: Path
    spool: Path
    engines: Path
    profile: str
    listen: str
    ports: Ports
    of_models: ModelOptions = field(default_factory=ModelOptions)
    tls: GrpcTls | None = None
    tracing: Tracing | None = None
    http_max_input_mib: int | None = None
    """Largest body of an HTTP request; None for Triton's own limit."""
    ready_seconds: float = 900.0
    stop_seconds: float = 300.0


def grpc_tls(
    *,
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
    server_name: str,
    probe_certificate: Path | None,
    probe_key: Path | None,
) -> GrpcTls | None:
    """Return the certificates where there are any; raises StartupError where one is wanting."""
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise StartupError("TLS needs both --grpc-certificate and --grpc-key")
    return GrpcTls(certificate, key, client_ca, server_name, probe_certificate, probe_key)
