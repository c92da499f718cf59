# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-health`: is a running server well? One call, one line, exit status 0 or 1.

It is cheap enough to run every few seconds in the server's container. Its options come from the
environment variables that configure the server there.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.launch.ports import EVERYWHERE, authority


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with defaults from the server's variables."""
    parser = argparse.ArgumentParser(
        description="Request embeddings of two known pictures from a server, and compare them.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    url = authority(
        _variable("TRIREEL_LISTEN") or EVERYWHERE, int(_variable("TRIREEL_GRPC_PORT") or 8001)
    )
    parser.add_argument("--url", default=url, help="gRPC host and port")
    parser.add_argument(
        "--export",
        type=Path,
        default=_path_variable("TRIREEL_EXPORT") or Path("/export"),
        help="output folder of trireel-export that the server runs",
    )
    parser.add_argument(
        "--timeout-seconds", type=float, default=10.0, help="time limit of the call"
    )
    parser.add_argument(
        "--grpc-certificate",
        type=Path,
        default=_path_variable("TRIREEL_GRPC_CERTIFICATE"),
        help="use TLS; the server's certificate, or that of its authority, PEM",
    )
    parser.add_argument(
        "--grpc-server-name",
        default=_variable("TRIREEL_GRPC_SERVER_NAME") or "localhost",
        help="a name in the server's certificate",
    )
    parser.add_argument(
        "--probe-certificate",
        type=Path,
        default=_path_variable("TRIREEL_PROBE_CERTIFICATE"),
        help="client certificate for a server that requires one, PEM",
    )
    parser.add_argument(
        "--probe-key",
        type=Path,
        default=_path_variable("TRIREEL_PROBE_KEY"),
        help="key of the client certificate, PEM",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Check the server; return the exit status."""
    arguments = create_parser().parse_args(argv)
    from trireel_backend.errors import StartupError
    from trireel_backend.launch.canary import request_canary
    from trireel_backend.launch.endpoint import ClientTls, Endpoint

    tls = None
    if arguments.grpc_certificate is not None:
        tls = ClientTls(
            arguments.grpc_certificate,
            arguments.grpc_server_name,
            arguments.probe_certificate,
            arguments.probe_key,
        )
    start_seconds = time.monotonic()
    try:
        request_canary(Endpoint(arguments.url, tls), arguments.export, arguments.timeout_seconds)
    except (StartupError, OSError) as error:
        print(f"unwell: {arguments.url}: {error}")
        return 1
    print(f"well: {arguments.url} embeds as the checkpoint does, {_ms_since(start_seconds):.0f} ms")
    return 0


def _variable(name: str) -> str | None:
    return os.environ.get(name) or None


def _path_variable(name: str) -> Path | None:
    value = _variable(name)
    return None if value is None else Path(value)


def _ms_since(start_seconds: float) -> float:
    return (time.monotonic() - start_seconds) * 1e3


if __name__ == "__main__":
    sys.exit(main())
