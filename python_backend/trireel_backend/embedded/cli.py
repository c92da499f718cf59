# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-serve`: run the embedded server until it is told to stop."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from trireel_backend.errors import StartupError
from trireel_backend.sources.limits import GIB

REPOSITORY_ROOT = Path(__file__).resolve().parents[3]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    http_port: Annotated[int, typer.Option(help="KServe v2 over HTTP.", min=1, max=65535)] = 8000,
    grpc_port: Annotated[int, typer.Option(help="KServe v2 over gRPC.", min=1, max=65535)] = 8001,
    metrics_port: Annotated[int, typer.Option(help="Prometheus metrics.", min=1, max=65535)] = 8002,
    profile: Annotated[
        str, typer.Option(help="Which configs/PROFILE.pbtxt of the models to use.")
    ] = "embedded",
    export: Annotated[
        Path, typer.Option(help="Output folder of trireel-export.", file_okay=False)
    ] = REPOSITORY_ROOT / "export/tiny/model",
    models: Annotated[
        Path, typer.Option(help="Folder of model folders.", file_okay=False)
    ] = REPOSITORY_ROOT / "model_repository",
    media: Annotated[
        Path, typer.Option(help="Folder of videos that requests may name.", file_okay=False)
    ] = REPOSITORY_ROOT / "media",
    allow_network: Annotated[
        list[str] | None,
        typer.Option(help="Network (CIDR) that http(s) videos may come from though not public."),
    ] = None,
    max_video_gib: Annotated[
        float | None, typer.Option(help="Largest fetched or uploaded video, 4 by default.")
    ] = None,
    max_spool_gib: Annotated[
        float | None, typer.Option(help="Room for such videos, 16 by default.")
    ] = None,
    extractors: Annotated[
        int | None, typer.Option(help="Chunks extracted at once, by default as configured.", min=1)
    ] = None,
    videos: Annotated[
        int | None,
        typer.Option(help="Whole videos under way at once, by default as configured.", min=1),
    ] = None,
    decode_on: Annotated[
        str | None, typer.Option(help="cpu, or auto for NVDEC where there is a GPU.")
    ] = None,
    stop_seconds: Annotated[
        int, typer.Option(help="How long a stop waits for requests and open sequences.", min=0)
    ] = 10,
    log: Annotated[Path | None, typer.Option(help="Keep Triton's log in this file.")] = None,
) -> None:
    """Serve on loopback, say when ready, and stop cleanly on SIGTERM or Ctrl-C."""
    from trireel_backend.embedded.server import Ports, ServerOptions, embedded_server, watch

    unwind_on_signals()
    bytes_at_most = {"source_max_bytes": max_video_gib, "spool_max_bytes": max_spool_gib}
    parameters = {
        **{name: str(int(gib * GIB)) for name, gib in bytes_at_most.items() if gib is not None},
        **({"allowed_networks": ",".join(allow_network)} if allow_network else {}),
        **({"decode_on": decode_on} if decode_on else {}),
    }
    counts = {"frame_extractor": extractors, "video_analysis": videos}
    try:
        options = ServerOptions(
            models=models,
            export=export,
            media_root=media,
            profile=profile,
            ports=Ports(http_port, grpc_port, metrics_port),
            instances={name: count for name, count in counts.items() if count is not None},
            parameters=parameters,
            stop_seconds=stop_seconds,
            log=log,
        )
        with embedded_server(options) as server:
            print(
                f"Trireel is ready: HTTP 127.0.0.1:{http_port}, gRPC 127.0.0.1:{grpc_port},"
                f" metrics 127.0.0.1:{metrics_port} (Triton {server.version}, {server.models}"
                f" models, checkpoint {server.metadata.checkpoint}, log {server.log})",
                flush=True,
            )
            watch(server)
    except (StartupError, OSError) as error:  # OSError: a folder or the log cannot be written
        print(f"trireel-serve: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


class Stopped(SystemExit):
    """The operator wants the server to stop, whatever it is doing."""


def unwind_on_signals() -> None:
    """Make the first SIGTERM, SIGINT or SIGHUP unwind the stack, so that everything is undone."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def unwind(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # a second one must not interrupt the clean-up
            signal.signal(number, signal.SIG_IGN)
        raise Stopped(0)

    for number in numbers:
        signal.signal(number, unwind)


if __name__ == "__main__":
    app()
