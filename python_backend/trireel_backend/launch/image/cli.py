# SPDX-License-Identifier: Apache-2.0
"""Command `trireel-serve-container`: run the image's Triton until a signal stops it."""

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
    Version,
    Videos,
    parse_parameters,
)
from trireel_backend.launch.ports import Ports
from trireel_backend.launch.signals import unwind_on_signals

ENVIRONMENT_PREFIX = "TRIREEL"

if TYPE_CHECKING:
    from trireel_backend.launch.image.options import ContainerOptions
    from trireel_backend.launch.server import RunningServer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(context_settings={"auto_envvar_prefix": ENVIRONMENT_PREFIX})
def serve(
    profile: Annotated[
        str,
        typer.Option(
            help="Runtime of the tower: container (ONNX Runtime on the GPU), cpu,"
            " onnxruntime-tensorrt, or tensorrt (an engine in --engines)."
        ),
    ] = "container",
    listen: Annotated[str, typer.Option(help="Address to listen on.")] = "0.0.0.0",
    http_port: Annotated[int, typer.Option(help="KServe v2 over HTTP.", min=1, max=65535)] = 8000,
    grpc_port: Annotated[int, typer.Option(help="KServe v2 over gRPC.", min=1, max=65535)] = 8001,
    metrics_port: Annotated[int, typer.Option(help="Prometheus metrics.", min=1, max=65535)] = 8002,
    export: Annotated[Path, typer.Option(help="Output folder of trireel-export.")] = Path(
        "/export"
    ),
    media: Annotated[Path, typer.Option(help="Folder of videos that requests may name.")] = Path(
        "/media"
    ),
    shots: Shots = None,
    tags: Tags = None,
    descriptions: Descriptions = None,
    prompt: Prompt = None,
    text_models: TextModels = None,
    detector: Detector = None,
    describe: DescribeFile = None,
    spool: Annotated[
        Path, typer.Option(help="Folder for uploads and fetched videos, for this server only.")
    ] = Path("/spool"),
    engines: Annotated[Path, typer.Option(help="Folder of TensorRT engines.")] = Path("/engines"),
    models: Annotated[Path, typer.Option(help="Folder of model folders.")] = Path(
        "/opt/trireel/model_repository"
    ),
    triton: Annotated[Path, typer.Option(help="Folder in which Triton is installed.")] = Path(
        "/opt/tritonserver"
    ),
    extractors: Extractors = None,
    videos: Videos = None,
    max_waiting_videos: MaxWaitingVideos = None,
    towers: Annotated[
        int | None, typer.Option(help="Instances of the tower on each GPU.", min=1)
    ] = None,
    decode_on: DecodeOn = None,
    allow_network: AllowNetwork = None,
    max_video_gib: MaxVideoGib = None,
    max_spool_gib: MaxSpoolGib = None,
    parameter: Parameter = None,
    version: Version = False,
    http_max_input_mib: Annotated[
        int | None,
        typer.Option(help="Largest body of an HTTP request, 64 by default.", min=1, max=2**20),
    ] = None,
    grpc_certificate: Annotated[
        Path | None,
        typer.Option(help="Serve gRPC over TLS with this PEM file; HTTP then serves only health."),
    ] = None,
    grpc_key: Annotated[Path | None, typer.Option(help="Key of that certificate, PEM.")] = None,
    grpc_client_ca: Annotated[
        Path | None,
        typer.Option(help="Accept only clients with a certificate of this authority, PEM."),
    ] = None,
    grpc_server_name: Annotated[
        str, typer.Option(help="A name in the certificate, for the server's own checks.")
    ] = "localhost",
    probe_certificate: Annotated[
        Path | None, typer.Option(help="Client certificate for the server's own checks, PEM.")
    ] = None,
    probe_key: Annotated[Path | None, typer.Option(help="Key of that certificate, PEM.")] = None,
    trace_url: Annotated[
        str | None,
        typer.Option(help="OTLP/HTTP address for trace spans: http://host:4318/v1/traces."),
    ] = None,
    trace_rate: Annotated[
        int,
        typer.Option(help="Trace one of N requests; 0: only those that bring a trace.", min=0),
    ] = 100,
    ready_seconds: Annotated[
        float, typer.Option(help="Seconds that loading the models may take.", min=1)
    ] = 900,
    stop_seconds: Annotated[
        float, typer.Option(help="Seconds that a stop waits for videos in flight.", min=0)
    ] = 300,
    restarts: Restarts = 5,
) -> None:
    """Serve from a container. Every option is also a variable, as TRIREEL_HTTP_PORT."""
    from trireel_backend.launch.image.options import ContainerOptions, Tracing, grpc_tls
    from trireel_backend.launch.repository.assemble import parameter_names

    unwind_on_signals()
    try:
        options = ContainerOptions(
            triton=triton,
            models=models,
            export=export,
            media=media,
            spool=spool,
            engines=engines,
            profile=profile,
            listen=listen,
            ports=Ports(http_port, grpc_port, metrics_port),
            model_options=ModelOptions(
                allow_network=allow_network,
                max_video_gib=max_video_gib,
                max_spool_gib=max_spool_gib,
                decode_on=decode_on,
                extractors=extractors,
                videos=videos,
                towers=towers,
                max_waiting_videos=max_waiting_videos,
                others=parse_parameters(parameter, parameter_names(models)),
            ),
            tls=grpc_tls(
                certificate=grpc_certificate,
                key=grpc_key,
                client_ca=grpc_client_ca,
                server_name=grpc_server_name,
                probe_certificate=probe_certificate,
                probe_key=probe_key,
            ),
            tracing=Tracing(trace_url, trace_rate) if trace_url else None,
            http_max_input_mib=http_max_input_mib,
            ready_seconds=ready_seconds,
            stop_seconds=stop_seconds,
            texts=OwnTexts(tags, descriptions, prompt),
            shots=shots,
            text_models=text_models,
            detector=detector,
            describe=describe,
        )
        _serve_until_stopped(options, restarts)
    except (StartupError, OSError) as error:  # OSError: a folder cannot be read or written
        print(f"trireel-serve-container: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


def _serve_until_stopped(options: "ContainerOptions", restarts: int) -> NoReturn:
    from trireel_backend.launch.children import reap_orphans
    from trireel_backend.launch.image.server import container_launch
    from trireel_backend.launch.limits import private_umask
    from trireel_backend.launch.repository.optional import find_optional_models
    from trireel_backend.launch.restarts import RestartPolicy, keep_serving

    private_umask()
    found = find_optional_models(options.shots, options.text_models, options.describe)
    options = replace(
        options, shots=found.shots, text_models=found.text_models, describe=found.describe
    )
    for loss in found.losses:
        print(loss, flush=True)
    with container_launch(options) as launch:
        keep_serving(
            launch,
            lambda server: _report_ready(server, options),
            lambda server: reap_orphans(server.process.pid),
            RestartPolicy(restarts),
        )


def _report_ready(server: "RunningServer", options: "ContainerOptions") -> None:
    from trireel_backend.launch.ports import authority

    ports = (options.ports.http, options.ports.grpc, options.ports.metrics)
    addresses = (authority(options.listen, port) for port in ports)
    print(
        "Trireel is ready: HTTP {}, gRPC {}, metrics {}".format(*addresses),
        f"(Triton {server.version}, {server.models} models, profile {options.profile},"
        f" checkpoint {server.metadata.checkpoint})",
        flush=True,
    )


if __name__ == "__main__":
    app()
