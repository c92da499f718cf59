# SPDX-License-Identifier: Apache-2.0
"""The options of `trireel load-test`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    KeyFile,
    ProtocolName,
    ProtocolOption,
    ServerName,
    TlsOption,
    Url,
    tls_options,
)
from trireel_client._config import LONGEST_SECONDS
from trireel_client.load_test.plan import Mode

LOAD, VIDEO, RESULT = "Load", "Requests", "Results"


def load_test(
    video: Annotated[
        list[str],
        typer.Option(
            help="A file, a URI, or with --server-path a name; repeat it for several, used in turn."
        ),
    ],
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    concurrency: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="Closed loop: number of videos in flight, level by level; 1,2,4,8 without --rate.",
            rich_help_panel=LOAD,
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="R,R,...",
            help="Open loop: number of videos that begin a second, at random times.",
            rich_help_panel=LOAD,
        ),
    ] = None,
    duration: Annotated[
        float, typer.Option(help="Measured seconds of each level.", rich_help_panel=LOAD)
    ] = 30.0,
    warm_up: Annotated[
        float,
        typer.Option(help="Seconds of load before the measured ones.", rich_help_panel=LOAD),
    ] = 5.0,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.001,
            max=LONGEST_SECONDS,
            help="Longest time of a request in seconds.",
            rich_help_panel=LOAD,
        ),
    ] = 120.0,
    most_in_flight: Annotated[
        int,
        typer.Option(
            min=1,
            help="Open loop: most videos in flight; others wait, and their wait counts.",
            rich_help_panel=LOAD,
        ),
    ] = 256,
    mode: Annotated[
        Mode,
        typer.Option(
            help="One answer a video, one a chunk, or one request a chunk.", rich_help_panel=VIDEO
        ),
    ] = Mode.WHOLE,
    server_path: Annotated[
        bool,
        typer.Option(
            "--server-path",
            help="Videos are paths in the server's media folder.",
            rich_help_panel=VIDEO,
        ),
    ] = False,
    tags: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...", help="Tags to score instead of the server's.", rich_help_panel=VIDEO
        ),
    ] = None,
    chunk_seconds: Annotated[
        float | None, typer.Option(help="Length of a chunk in seconds.", rich_help_panel=VIDEO)
    ] = None,
    frames_per_chunk: Annotated[
        int | None,
        typer.Option(help="Number of frames to sample from each chunk.", rich_help_panel=VIDEO),
    ] = None,
    keyframes_only: Annotated[
        bool,
        typer.Option("--keyframes-only", help="Decode keyframes only.", rich_help_panel=VIDEO),
    ] = False,
    metrics_url: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Address of the server's metrics; by default port 8002 of its host, if the server"
            " is on port 8000 or 8001.",
            rich_help_panel=RESULT,
        ),
    ] = None,
    server_pid: Annotated[
        int | None,
        typer.Option(
            help="Process of the server on this machine; by default the one that listens at --url.",
            rich_help_panel=RESULT,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Write report.html, results.json and levels.csv here.",
            rich_help_panel=RESULT,
        ),
    ] = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples/--no-samples",
            help="Include every video in the JSON.",
            rich_help_panel=RESULT,
        ),
    ] = True,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Put load on a server; report throughput, latency, and what bounds them."""
    # gRPC's own log would mix with our sentences. gRPC reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from trireel_client import Tls, TrireelError
    from trireel_client._config import DEFAULT_URLS, Address
    from trireel_client.load_test import command
    from trireel_client.load_test.drive.connection import Connection

    tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    try:
        settings = command.LoadTestSettings(
            videos=video,
            server_path=server_path,
            connection=Connection(
                Address.parse(url or DEFAULT_URLS[protocol.value]),
                protocol.value,
                None if tls_settings is None else Tls(**tls_settings),
            ),
            mode=mode,
            concurrency=concurrency,
            rate=rate,
            duration_seconds=duration,
            warm_up_seconds=warm_up,
            timeout_seconds=timeout,
            most_in_flight=most_in_flight,
            options={
                "tags": None if tags is None else _parts(tags),
                "chunk_seconds": chunk_seconds,
                "frames_per_chunk": frames_per_chunk,
                "keyframes_only": keyframes_only or None,
            },
            metrics_url=metrics_url,
            server_pid=server_pid,
            report=report,
            with_samples=samples,
        )
        status = command.load_test(settings)
    except (TrireelError, OSError) as error:
        typer.echo(f"trireel: {error}", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(status)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
