# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-health`: is a running server well? One call, one line, exit status 0 or 1.

Made to be run every few seconds in the server's container, where the environment already says
what the options are.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.launch.ports import EVERYWHERE, authority


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; defaults come from the server's own variables."""
    parser = argparse.ArgumentParser(
        description="Let a running server embed two known pictures, and compare.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    url = authority(_set("TRIREEL_LISTEN") or EVERYWHERE, int(_set("TRIREEL_GRPC_PORT") or 8001))
    add = parser.add_argument
    add("--url", default=url, help="gRPC host and port")
    add("--export", type=Path, default=_path("TRIREEL_EXPORT") or Path("/export"),
        help="output folder of trireel-export that the server runs")  # fmt: skip
    add("--timeout-seconds", type=float, default=10.0, help="of the call")
    add("--grpc-certificate", type=Path, default=_path("TRIREEL_GRPC_CERTIFICATE"),
        help="ask over TLS; the server's certificate, or the one that signed it, PEM")  # fmt: skip
    add("--grpc-server-name", default=_set("TRIREEL_GRPC_SERVER_NAME") or "localhost",
        help="a name in the server's certificate")  # fmt: skip
    add("--probe-certificate", type=Path, default=_path("TRIREEL_PROBE_CERTIFICATE"),
        help="client certificate to show, PEM")  # fmt: skip
    add("--probe-key", type=Path, default=_path("TRIREEL_PROBE_KEY"),
        help="key of that certificate, PEM")  # fmt: skip
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Ask the server; return the exit status."""
    arguments = create_parser().parse_args(argv)
    from trireel_backend.errors import StartupError
    from trireel_backend.launch.canary import ask_canary
    from trireel_backend.launch.endpoint import ClientTls, Endpoint

    tls = None
    if arguments.grpc_certificate is not None:
        tls = ClientTls(
            arguments.grpc_certificate,
            arguments.grpc_server_name,
            arguments.probe_certificate,
            arguments.probe_key,
        )
    began = time.monotonic()
    try:
        ask_canary(Endpoint(arguments.url, tls), arguments.export, arguments.timeout_seconds)
    except (StartupError, OSError) as error:
        print(f"unwell: {arguments.url}: {error}")
        return 1
    print(f"well: {arguments.url} embeds as the checkpoint does, {_ms_since(began):.0f} ms")
    return 0


def _set(name: str) -> str | None:
    return os.environ.get(name) or None


def _path(name: str) -> Path | None:
    value = _set(name)
    return None if value is None else Path(value)


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1e3


if __name__ == "__main__":
    sys.exit(main())
