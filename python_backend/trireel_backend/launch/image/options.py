# SPDX-License-Identifier: Apache-2.0
"""The options of a server in a container."""

from dataclasses import dataclass, field
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.endpoint import ClientTls
from trireel_backend.launch.model_options import ModelOptions, OwnTexts
from trireel_backend.launch.ports import Ports


@dataclass(frozen=True)
class GrpcTls:
    """Certificates of the gRPC port, files in PEM."""

    certificate: Path
    """The server's certificate, followed by those between it and its authority."""
    key: Path
    """Key of the server's certificate."""
    client_ca: Path | None = None
    """Authority that must have signed clients' certificates; None if clients need none."""
    server_name: str = "localhost"
    """A name in the certificate, for the server's own checks."""
    probe_certificate: Path | None = None
    """Client certificate for the server's own checks."""
    probe_key: Path | None = None
    """Key of that client certificate."""

    def __post_init__(self) -> None:
        paths = (self.certificate, self.key, self.client_ca, self.probe_certificate, self.probe_key)
        for path in paths:
            if path is not None and not path.is_file():
                raise StartupError(f"{path} is not there: give a PEM file")
        if (self.probe_certificate is None) != (self.probe_key is None):
            raise StartupError("give both --probe-certificate and --probe-key, or neither")
        if self.client_ca is not None and self.probe_certificate is None:
            raise StartupError(
                "with --grpc-client-ca the server's own checks need a client certificate too: give"
                " --probe-certificate and --probe-key"
            )

    def client_tls(self) -> ClientTls:
        """Return the certificates for the server's own checks, which trust only its certificate."""
        return ClientTls(self.certificate, self.server_name, self.probe_certificate, self.probe_key)


@dataclass(frozen=True)
class Tracing:
    """The target and the rate of OpenTelemetry traces."""

    url: str
    """OTLP/HTTP address of the collector, such as http://collector:4318/v1/traces."""
    rate: int = 100
    """One of so many requests is traced; 0 to trace only those that bring a trace."""


@dataclass(frozen=True)
class ContainerOptions:
    """The options of a server in a container."""

    triton: Path
    """Folder in which Triton is installed."""
    models: Path
    """Folder of model folders."""
    export: Path
    """Output folder of trireel-export."""
    media: Path
    """Folder of videos that requests name by path."""
    spool: Path
    """Folder for uploads and fetched videos."""
    engines: Path
    """Folder of TensorRT engines."""
    profile: str
    """Name of the models' configs/<profile>.pbtxt to use."""
    listen: str
    """Address to listen on."""
    ports: Ports
    model_options: ModelOptions = field(default_factory=ModelOptions)
    tls: GrpcTls | None = None
    """Certificates of the gRPC port; None for a port without TLS."""
    tracing: Tracing | None = None
    """Target of traces; None for no tracing."""
    http_max_input_mib: int | None = None
    """Largest body of an HTTP request; None for Triton's own limit."""
    ready_seconds: float = 900.0
    """Seconds that loading the models may take."""
    stop_seconds: float = 300.0
    """Seconds that a stop waits for videos in flight."""
    texts: OwnTexts = field(default_factory=OwnTexts)
    """Tags and descriptions that replace those of the export."""
    shots: Path | None = None
    """Folder of the model `shot_boundary`; None for a server without it."""
    text_models: Path | None = None
    """Folder of the models that read text; None for a server without them."""
    detector: Path | None = None
    """Folder of the model `object_detector`; None for a server without it."""
    describe: Path | None = None
    """File of the backends of `describe`; None for a server without it."""


def grpc_tls(
    *,
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
    server_name: str,
    probe_certificate: Path | None,
    probe_key: Path | None,
) -> GrpcTls | None:
    """Return the gRPC port's certificates, None if no option asks for TLS.

    Raises:
        StartupError: if an option or a file is missing.
    """
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise StartupError("TLS needs both --grpc-certificate and --grpc-key")
    return GrpcTls(certificate, key, client_ca, server_name, probe_certificate, probe_key)
