# SPDX-License-Identifier: Apache-2.0
"""The flags of tritonserver in a container, as far as its release supports them."""

from trireel_backend.errors import MissingPart
from trireel_backend.launch.flags import ADMIN_APIS, closed_apis
from trireel_backend.launch.image.options import ContainerOptions, GrpcTls, Tracing

NEWER_FLAGS = {"http-max-input-size": "25.06", "allow-client-shm": "26.04"}
"""Flags that Triton 24.10 does not have, and the release that introduced each."""

HTTP_APIS = ("metadata", "inference", "model-config", "statistics", *ADMIN_APIS)
"""All APIs of HTTP except health."""

PROFILES_WITHOUT_GPU = ("cpu", "embedded")
MIB = 2**20


def container_flags(options: ContainerOptions, flag_names: frozenset[str]) -> dict[str, object]:
    """Return the flags of a container's server that are not among the common ones.

    Args:
        flag_names: names of the flags that this Triton has.

    Raises:
        MissingPart: if an option needs a flag that this Triton does not have.
    """
    flags: dict[str, object] = {
        # Environment variables of some platforms would turn these two on.
        "allow-sagemaker": "false",
        "allow-vertex-ai": "false",
        "metrics-config": ["histogram_latencies=true"],
    }
    if options.profile in PROFILES_WITHOUT_GPU:
        flags["allow-gpu-metrics"] = "false"
    if "allow-client-shm" in flag_names:  # older releases only have the closed API
        flags["allow-client-shm"] = "false"
    if options.http_max_input_mib is not None:
        _require_flag("http-max-input-size", "--http-max-input-mib", flag_names)
        flags["http-max-input-size"] = options.http_max_input_mib * MIB
    if options.tls is not None:
        flags |= _tls(options.tls)
    if options.tracing is not None:
        flags["trace-config"] = _tracing(options.tracing)
    return flags


def _tls(tls: GrpcTls) -> dict[str, object]:
    flags: dict[str, object] = {
        "grpc-use-ssl": "true",
        "grpc-server-cert": tls.certificate,
        "grpc-server-key": tls.key,
        # Triton has no TLS for HTTP: with TLS for gRPC, HTTP serves only health.
        "http-restricted-api": closed_apis(HTTP_APIS),
    }
    if tls.client_ca is not None:
        flags |= {"grpc-use-ssl-mutual": "true", "grpc-root-cert": tls.client_ca}
    return flags


def _tracing(tracing: Tracing) -> list[str]:
    return [
        "mode=opentelemetry",
        f"opentelemetry,url={tracing.url}",
        "opentelemetry,resource=service.name=trireel",
        f"rate={tracing.rate}",
        "level=TIMESTAMPS",
    ]


def _require_flag(flag: str, option: str, flag_names: frozenset[str]) -> None:
    if flag not in flag_names:
        raise MissingPart(
            f"{option} needs Triton {NEWER_FLAGS[flag]} or newer: this one has no --{flag}"
        )
