# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share: servers, limits, the database."""

from typing import Annotated

import typer

from trireel_app.analyse.servers import ServerLimits
from trireel_app.jobs.worker import WorkerOptions
from trireel_client import AsyncTrireelClient, Retry, Timeout, Tls
from trireel_client._cli_options import TlsOptions
from trireel_client._config import (
    DEFAULT_CONNECT_SECONDS,
    DEFAULT_URLS,
    addresses,
)

Database = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|URL",
        help="Database of jobs: a SQLite file, or postgresql://... By default $TRIREEL_DATABASE,"
        " or a file in your home.",
    ),
]
Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--url",
        metavar="HOST:PORT",
        help="A server; repeat it for several. By default 127.0.0.1:8001.",
    ),
]
ServerConcurrency = Annotated[
    int,
    typer.Option(min=1, max=256, help="Videos in flight from this process to each server."),
]
ServerRate = Annotated[
    float | None,
    typer.Option(min=0.01, help="Videos that this process begins in a minute at each server."),
]
WaitSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds to wait for a server before the job stops.")
]
RequestSeconds = Annotated[
    float, typer.Option("--timeout", min=0.001, help="Longest wait for a video in seconds.")
]
LeaseSeconds = Annotated[
    float,
    typer.Option(min=1, help="Seconds without a sign of life after which others take over."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]

DEFAULT_IN_FLIGHT = 4
DEFAULT_WAIT_SECONDS = 300.0
DEFAULT_REQUEST_SECONDS = 600.0
DEFAULT_LEASE_SECONDS = 15.0


def worker_options(
    urls: list[str] | None,
    limits: ServerLimits,
    request_seconds: float,
    lease_seconds: float,
    tls: TlsOptions | None,
    job_id: str | None = None,
) -> WorkerOptions:
    """Return how a process works, from the options of a command line.

    Raises:
        InvalidAddress: if a server's address is none.
        typer.BadParameter: if the time is too long.
    """
    names = urls or [DEFAULT_URLS["grpc"]]
    addresses(names, "grpc")
    try:
        timeout = Timeout(min(DEFAULT_CONNECT_SECONDS, request_seconds), request_seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timeout") from error

    def make_client(url: str) -> AsyncTrireelClient:
        # Retries are the job's: a video that ends a server must not be sent again and again.
        settings = None if tls is None else Tls(**tls)
        return AsyncTrireelClient(url, timeout=timeout, retries=Retry(1), tls=settings)

    return WorkerOptions(tuple(names), make_client, limits, lease_seconds, job_id)
