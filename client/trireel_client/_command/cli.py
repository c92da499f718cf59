# SPDX-License-Identifier: Apache-2.0
"""The `trireel` command: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    KeyFile,
    ProtocolName,
    ProtocolOption,
    ServerName,
    TlsOption,
    TlsOptions,
    Url,
    tls_options,
)
from trireel_client.load_test.options import load_test

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trireel_client import Analysis, AnalysisOptions, ChunkAnalysis, TrireelClient
    from trireel_client._sources import Source

MODELS = (
    "video_analysis",
    "video_analysis_stream",
    "video_chunk",
    "frame_chunk",
    "chunk_encoder",
    "frame_extractor",
    "siglip_vision",
    "siglip_text",
    "temporal_decoder",
)
STATUS_SECONDS = 5.0

app = typer.Typer(
    help="Ask a Trireel server what is in a video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


Number = TypeVar("Number", int, float)


@app.command()
def analyze(
    video: Annotated[str, typer.Argument(help="A file, a URI, or with --server-path a name.")],
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    tags: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Score these instead of the server's.")
    ] = None,
    chunk_seconds: Annotated[float | None, typer.Option(help="Length of a chunk.")] = None,
    frames_per_chunk: Annotated[
        int | None, typer.Option(help="Frames sampled from each chunk.")
    ] = None,
    sample_fps: Annotated[
        float | None, typer.Option(help="Frames sampled from each second, instead.")
    ] = None,
    keyframes_only: Annotated[
        bool, typer.Option("--keyframes-only", help="Take a quick look: decode keyframes alone.")
    ] = False,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,W,H", help="Region that is seen: left, top, width, height as fractions."
        ),
    ] = None,
    crop_px: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="The same in pixels, instead.")
    ] = None,
    stream_index: Annotated[
        int | None, typer.Option(help="Video stream, by its index in the file.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Tags returned.")] = None,
    scene_threshold: Annotated[float | None, typer.Option(help="Least score of a cut.")] = None,
    scene_alpha: Annotated[
        float | None, typer.Option(help="Weight of the newest frame in the running average.")
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Follow the analysis live.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the JSON to this file.")
    ] = None,
    with_embeddings: Annotated[
        bool, typer.Option("--with-embeddings", help="Put embeddings into the JSON.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds to wait.")] = 600.0,
    server_path: Annotated[
        bool, typer.Option("--server-path", help="VIDEO is a path in the server's media folder.")
    ] = False,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Tell what is in a video: tags, a caption, cuts."""
    if stream and protocol is ProtocolName.HTTP:
        raise typer.BadParameter("--stream needs --protocol grpc")
    options: AnalysisOptions = {
        "tags": None if tags is None else [tag.strip() for tag in tags.split(",") if tag.strip()],
        "chunk_seconds": chunk_seconds,
        "frames_per_chunk": frames_per_chunk,
        "sample_fps": sample_fps,
        "keyframes_only": keyframes_only,
        "crop": _four_numbers("--crop", crop, float),
        "crop_px": _four_numbers("--crop-px", crop_px, int),
        "stream_index": stream_index,
        "top_k": top_k,
        "scene_threshold": scene_threshold,
        "scene_alpha": scene_alpha,
        "with_embeddings": with_embeddings,
    }
    _check_writable(output)
    talk = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with _errors_as_sentences(), _client(url, protocol, timeout, talk) as client:
        run = _follow if stream else _ask
        analysis = run(client, _source(video, server_path), options)
        _print(analysis, video, as_json, output)


@app.command()
def status(
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Tell who the server is and which of its models are ready; exits with 1 if one is not."""
    from rich.console import Console

    from trireel_client._command.show import show_status
    from trireel_client._config import DEFAULT_URLS

    talk = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with (
        _errors_as_sentences(),
        _client(url, protocol, STATUS_SECONDS, talk, attempts=1) as client,
    ):
        server = client.server_info()
        models = {model: client.is_ready(model) for model in MODELS}
        ready = client.is_ready()
        show_status(Console(), url or DEFAULT_URLS[protocol.value], server, ready, models)
    if not (ready and all(models.values())):
        raise typer.Exit(1)


app.command("load-test")(load_test)


def _four_numbers(option: str, text: str | None, kind: type[Number]) -> tuple[Number, ...] | None:
    if text is None:
        return None
    try:
        left, top, width, height = (kind(number) for number in text.split(","))
    except ValueError as error:
        whole = "whole " if kind is int else ""
        message = f"{text!r} is not four {whole}numbers: give left,top,width,height"
        raise typer.BadParameter(message, param_hint=option) from error
    return left, top, width, height


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    from trireel_client import InvalidAddress, TrireelError

    try:
        yield
    except InvalidAddress as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error
    except BrokenPipeError:  # who reads has enough: typer ends without a word
        raise
    except (TrireelError, OSError) as error:
        typer.echo(f"trireel: {error}", err=True)
        raise typer.Exit(1) from error


def _client(
    url: str | None,
    protocol: ProtocolName,
    seconds: float,
    tls: TlsOptions | None,
    attempts: int | None = None,
) -> TrireelClient:
    # gRPC's own log would stand beside our one sentence; read when gRPC is loaded, so set before.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from trireel_client import Retry, Timeout, Tls, TrireelClient
    from trireel_client._config import DEFAULT_CONNECT_SECONDS

    try:
        timeout = Timeout(min(DEFAULT_CONNECT_SECONDS, seconds), seconds)
    except ValueError as error:  # more than there is, or NaN
        raise typer.BadParameter(str(error), param_hint="--timeout") from error
    retries = None if attempts is None else Retry(attempts)
    return TrireelClient(
        url,
        protocol=protocol.value,
        timeout=timeout,
        retries=retries,
        tls=None if tls is None else Tls(**tls),
    )


def _source(video: str, server_path: bool) -> Source:
    from trireel_client import ServerPath

    return ServerPath(video) if server_path else video


def _ask(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    return client.analyze(source, **options)


def _follow(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    """Stream the analysis and show how far it is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from trireel_client import Analysis

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("waiting for the first chunk", total=None)
        for answer in client.stream(source, **options):
            if isinstance(answer, Analysis):
                analysis = answer
            else:
                _advance(progress, task, answer)
    return analysis  # a stream ends with the whole video, or with an error


def _advance(progress: Progress, task: TaskID, chunk: ChunkAnalysis) -> None:
    newest = chunk.tags[0].text if chunk.tags else ""
    progress.update(
        task,
        total=chunk.num_chunks,
        completed=chunk.index + 1,
        description=f"{newest}, up to {chunk.end_seconds:.1f} s",
    )


def _check_writable(output: Path | None) -> None:
    """Refuse what cannot be written before the server has worked for it."""
    if output is None:
        return
    if not output.parent.is_dir():
        reason = f"there is no folder {str(output.parent)!r}"
    elif not os.access(output if output.exists() else output.parent, os.W_OK):
        reason = f"{str(output)!r} cannot be written"
    else:
        return
    raise typer.BadParameter(reason, param_hint="--output")


def _print(analysis: Analysis, video: str, as_json: bool, output: Path | None) -> None:
    """Print an analysis, and write it to `output`; raises OSError where that fails.

    What cannot be written is printed as JSON: it would be lost otherwise.
    """
    from rich.console import Console

    from trireel_client._command.show import show_analysis

    text = json.dumps(analysis.to_json_dict(), indent=2, ensure_ascii=False)
    failure = None
    try:
        if output is not None:
            output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        failure = error
    if as_json or failure is not None:
        typer.echo(text)
    else:
        show_analysis(Console(), video, analysis)
    if failure is not None:
        raise failure
