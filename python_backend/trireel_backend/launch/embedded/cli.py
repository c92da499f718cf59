# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-serve`: run the embedded server until a signal stops it."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from trireel_backend.errors import StartupError
from trireel_backend.launch.model_options import (
    AllowNetwork,
    DecodeOn,
    DescribeFile,
    Descriptions,
    Detector,
    Extractors,
    MaxSpoolGib,
    MaxVideoGib,
    MaxWaitingVideos,
    ModelOptions,
    OwnTexts,
    Parameter,
    Prompt,
    Restarts,
    Shots,
    Tags,
    TextModels,
    TowerEngine,
    Version,
    Videos,
    parse_parameters,
)
from trireel_backend.launch.signals import unwind_on_signals

if TYPE_CHECKING:
    from trireel_backend.launch.embedded.server import ServerOptions
    from trireel_backend.launch.server import RunningServer

REPOSITORY_ROOT = Path(__file__).resolve().parents[4]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(
    http_port: Annotated[int, typer.Option(help="KServe v2 over HTTP.", min=1, max=65535)] = 8000,
    grpc_port: Annotated[int, typer.Option(help="KServe v2 over gRPC.", min=1, max=65535)] = 8001,
    metrics_port: Annotated[int, typer.Option(help="Prometheus metrics.", min=1, max=65535)] = 8002,
    profile: Annotated[
        str, typer.Option(help="Use the models' configs/PROFILE.pbtxt.")
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
    shots: Shots = None,
    tags: Tags = None,
    descriptions: Descriptions = None,
    prompt: Prompt = None,
    text_models: TextModels = None,
    detector: Detector = None,
    describe: DescribeFile = None,
    allow_network: AllowNetwork = None,
    max_video_gib: MaxVideoGib = None,
    max_spool_gib: MaxSpoolGib = None,
    extractors: Extractors = None,
    videos: Videos = None,
    max_waiting_videos: MaxWaitingVideos = None,
    decode_on: DecodeOn = None,
    tower_engine: TowerEngine = None,
    parameter: Parameter = None,
    allow_client_shared_memory: Annotated[
        bool,
        typer.Option(
            "--allow-client-shared-memory",
            help="Let clients pass tensors in shared memory. Whoever reaches a port of this server"
            " can then read and change the shared memory of its models.",
        ),
    ] = False,
    ready_seconds: Annotated[
        float | None,
        typer.Option(help="Seconds that loading the models may take, 120 by default.", min=1),
    ] = None,
    stop_seconds: Annotated[
        int, typer.Option(help="Seconds that a stop waits for videos in flight.", min=0)
    ] = 10,
    restarts: Restarts = 5,
    log: Annotated[Path | None, typer.Option(help="Keep Triton's log in this file.")] = None,
    version: Version = False,
) -> None:
    """Serve on loopback, report when ready, and stop cleanly on SIGTERM or Ctrl-C."""
    from trireel_backend.launch.embedded.server import READY_SECONDS, ServerOptions
    from trireel_backend.launch.limits import private_umask
    from trireel_backend.launch.ports import Ports
    from trireel_backend.launch.repository.assemble import parameter_names
    from trireel_backend.launch.repository.detector import find_detector

    unwind_on_signals()
    private_umask()
    try:
        model_options = ModelOptions(
            allow_network,
            max_video_gib,
            max_spool_gib,
            decode_on,
            extractors,
            videos,
            tower_engine=tower_engine,
            max_waiting_videos=max_waiting_videos,
            others=parse_parameters(parameter, parameter_names(models)),
        )
        options = ServerOptions(
            models=models,
            export=export,
            media_root=media,
            profile=profile,
            ports=Ports(http_port, grpc_port, metrics_port),
            instances=model_options.instances(),
            parameters=model_options.parameters(),
            client_shared_memory=allow_client_shared_memory,
            ready_seconds=ready_seconds or READY_SECONDS,
            stop_seconds=stop_seconds,
            shots=shots,
            texts=OwnTexts(tags, descriptions, prompt),
            text_models=text_models,
            detector=find_detector(detector, REPOSITORY_ROOT / "export/detector/model"),
            describe=describe,
            log=log,
        )
        _serve_until_stopped(options, restarts)
    except (StartupError, OSError) as error:  # OSError: a folder or the log cannot be written
        print(f"trireel-serve: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def _serve_until_stopped(options: "ServerOptions", restarts: int) -> NoReturn:
    from trireel_backend.launch.embedded.server import embedded_launch
    from trireel_backend.launch.repository.optional import find_optional_models
    from trireel_backend.launch.restarts import RestartPolicy, keep_serving

    found = find_optional_models(options.shots, options.text_models, options.describe)
    options = replace(
        options, shots=found.shots, text_models=found.text_models, describe=found.describe
    )

    def report_ready(server: "RunningServer") -> None:
        ports = options.ports
        print(
            f"Trireel is ready: HTTP 127.0.0.1:{ports.http}, gRPC 127.0.0.1:{ports.grpc},"
            f" metrics 127.0.0.1:{ports.metrics} (Triton {server.version}, {server.models}"
            f" models, checkpoint {server.metadata.checkpoint}, log {server.log})",
            flush=True,
        )
        for loss in found.losses:
            print(loss, flush=True)

    with embedded_launch(options) as launch:
        keep_serving(launch, report_ready, policy=RestartPolicy(restarts))


if __name__ == "__main__":
    app()
