# SPDX-License-Identifier: Apache-2.0
"""The flags of tritonserver that every way to run it shares."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from trireel_backend.launch.ports import Ports

SHM_DEFAULT_BYTES = 4 * 2**20  # of each instance; a chunk of 16 frames at 224 px takes 2.4 MB
SHM_GROWTH_BYTES = 16 * 2**20  # a region never shrinks, so it must not grow in small steps often
MIN_PING_INTERVAL_MS = 1000
SHARED_MEMORY_API = "shared-memory"
ADMIN_APIS = ("model-repository", SHARED_MEMORY_API, "trace", "logging")

Flags = Mapping[str, object]


def closed(apis: Iterable[str]) -> str:
    """Return the value of a flag that closes some APIs with a secret that nobody is told."""
    return f"{','.join(apis)}:trireel-admin={secrets.token_hex(32)}"


def common_flags(
    *,
    repository: Path,
    backends: Path,
    address: str,
    ports: Ports,
    exit_seconds: float,
    client_shared_memory: bool = False,
) -> dict[str, object]:
    """Return what serves a repository on an address, its admin APIs closed on both protocols.

    Args:
        client_shared_memory: leave open the API by which clients name memory for tensors. Before
            25.07 it takes any name, that of the models' own memory too.
    """
    shut = [api for api in ADMIN_APIS if not (client_shared_memory and api == SHARED_MEMORY_API)]
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
        "http-restricted-api": closed(shut),
        # A client whose machine is gone is noticed; by default only when something is sent to it.
        "grpc-keepalive-time": 30_000,
        "grpc-keepalive-timeout": 20_000,
        "grpc-http2-max-pings-without-data": 0,
        # Clients may do the same: by default Triton closes the connection of a client that pings
        # three times within 10 minutes, while it waits for the answer to a long video.
        "grpc-http2-min-recv-ping-interval-without-data": MIN_PING_INTERVAL_MS,
        "grpc-keepalive-permit-without-calls": 1,
        "grpc-restricted-protocol": closed(shut),
    }


def arguments(flags: Flags, shm_prefix: str) -> list[str]:
    """Return the command line's arguments; a flag whose value is a list is given once for each.

    Args:
        shm_prefix: how the names of the models' shared memory regions begin.
    """
    backend = {
        "shm-region-prefix-name": shm_prefix,
        "shm-default-byte-size": SHM_DEFAULT_BYTES,
        "shm-growth-byte-size": SHM_GROWTH_BYTES,
    }
    return [
        "--disable-auto-complete-config",
        *(f"--{name}={one}" for name, value in flags.items() for one in _each(value)),
        *(f"--backend-config=python,{name}={value}" for name, value in backend.items()),
    ]


def _each(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else [value]
