# SPDX-License-Identifier: Apache-2.0
"""The flags of tritonserver that the embedded server and the container share."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from trireel_backend.launch.ports import Ports

SHM_DEFAULT_BYTES = 4 * 2**20  # per instance; a chunk of 16 frames at 224 px takes 2.4 MB
SHM_GROWTH_BYTES = 16 * 2**20  # a region never shrinks: many small steps cost more
MIN_PING_INTERVAL_MS = 1000
SHARED_MEMORY_API = "shared-memory"
CLOSED_HEADER = "trireel:closed"
ADMIN_APIS = ("model-repository", SHARED_MEMORY_API, "trace", "logging")

Flags = Mapping[str, object]


def closed_apis(apis: Iterable[str]) -> str:
    """Return a flag's value that closes some APIs, also to a client that knows the value.

    Triton accepts a request that has a header of this name with this value. `ps` shows both to all
    users of the machine. But no request can have the header: in HTTP/1.1 a name ends at the first
    ":", and HTTP/2 forbids ":" in a name (RFC 9113, 8.2.1).
    """
    return f"{','.join(apis)}:{CLOSED_HEADER}={secrets.token_hex(32)}"


def common_flags(
    *,
    repository: Path,
    backends: Path,
    address: str,
    ports: Ports,
    exit_seconds: float,
    client_shared_memory: bool = False,
) -> dict[str, object]:
    """Return the flags that serve a repository on an address, with admin APIs closed.

    Args:
        exit_seconds: seconds that Triton waits for requests in flight before it exits.
        client_shared_memory: leave open the API with which clients name memory for tensors.
            Before Triton 25.07 it accepts any name, including that of the models' own memory.
    """
    apis = [api for api in ADMIN_APIS if not (client_shared_memory and api == SHARED_MEMORY_API)]
    return {
        "model-repository": repository,
        "backend-directory": backends,
        "http-address": address,
        "grpc-address": address,
        "metrics-address": address,
        "http-port": ports.http,
        "grpc-port": ports.grpc,
        "metrics-port": ports.metrics,
        "reuse-http-port": "false",
        "reuse-grpc-port": "false",
        "model-control-mode": "none",
        "exit-on-error": "true",
        "exit-timeout-secs": int(exit_seconds),
        "http-restricted-api": closed_apis(apis),
        # Detects a client whose machine is gone; by default only an attempt to send does.
        "grpc-keepalive-time": 30_000,
        "grpc-keepalive-timeout": 20_000,
        "grpc-http2-max-pings-without-data": 0,
        # Clients may ping too: by default Triton closes the connection of a client that pings
        # three times within 10 minutes, even if it waits for the answer to a long video.
        "grpc-http2-min-recv-ping-interval-without-data": MIN_PING_INTERVAL_MS,
        "grpc-keepalive-permit-without-calls": 1,
        "grpc-restricted-protocol": closed_apis(apis),
        # By default eight requests stay allocated for reuse, each as large as its largest upload.
        "grpc-infer-allocation-pool-size": 0,
    }


def arguments(flags: Flags, shm_prefix: str) -> list[str]:
    """Return the command line's arguments; a flag with a list of values is repeated.

    Args:
        shm_prefix: prefix of the names of the models' shared memory regions.
    """
    backend = {
        "shm-region-prefix-name": shm_prefix,
        "shm-default-byte-size": SHM_DEFAULT_BYTES,
        "shm-growth-byte-size": SHM_GROWTH_BYTES,
    }
    return [
        "--disable-auto-complete-config",
        *(f"--{name}={value}" for name, values in flags.items() for value in _as_list(values)),
        *(f"--backend-config=python,{name}={value}" for name, value in backend.items()),
    ]


def _as_list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else [value]
