# SPDX-License-Identifier: Apache-2.0
"""The command `trireel analyze`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    KeyFile,
    ProtocolName,
    ProtocolOption,
    SceneModeName,
    ServerName,
    TlsOption,
    Url,
    tls_options,
)
from trireel_client._command.connect import connected_client, errors_as_sentences, video_source
from trireel_client._command.exports import SceneFiles, check_writable
from trireel_schema.catalogue import DEFAULT_FINDINGS, FINDINGS

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trireel_client import Analysis, AnalysisOptions, ChunkAnalysis, TrireelClient
    from trireel_client._sources import Source

Number = TypeVar("Number", int, float)


def analyze(
    video: Annotated[str, typer.Argument(help="A file, a URI, or with --server-path a name.")],
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    find: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Finding to make: {', '.join(FINDINGS)}; repeat it for several."
            f" By default {', '.join(DEFAULT_FINDINGS)}.",
        ),
    ] = None,
    tags: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Tags to score instead of the server's.")
    ] = None,
    chunk_seconds: Annotated[
        float | None, typer.Option(help="Length of a chunk in seconds.")
    ] = None,
    frames_per_chunk: Annotated[
        int | None, typer.Option(help="Number of frames to sample from each chunk.")
    ] = None,
    sample_fps: Annotated[
        float | None, typer.Option(help="Number of frames to sample from each second, instead.")
    ] = None,
    keyframes_only: Annotated[
        bool, typer.Option("--keyframes-only", help="Decode keyframes only, which is fast.")
    ] = False,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,W,H", help="Region to analyse: left, top, width, height as fractions."
        ),
    ] = None,
    crop_px: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="Region to analyse in pixels, instead.")
    ] = None,
    stream_index: Annotated[
        int | None, typer.Option(help="Index in the file of the video stream.")
    ] = None,
    top_k: Annotated[int | None, typer.Option(help="Number of tags to return.")] = None,
    scenes: Annotated[
        SceneModeName | None,
        typer.Option(
            help="Find scenes by sampled frames, settle each cut exactly, or by all frames."
        ),
    ] = None,
    min_scene: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Length of the shortest scene.")
    ] = None,
    scene_trace: Annotated[
        bool, typer.Option("--scene-trace", help="Include the signals of frames in the JSON.")
    ] = False,
    export: Annotated[
        list[Path] | None,
        typer.Option(
            dir_okay=False,
            metavar="FILE",
            help="Write the scenes to a file named *.vtt, .srt, .csv, .edl, .fcpxml or .otio;"
            " repeat it for several.",
        ),
    ] = None,
    drop_frame: Annotated[
        bool,
        typer.Option(
            "--drop-frame/--non-drop-frame", help="Timecode of exports at 29.97 and 59.94 fps."
        ),
    ] = True,
    thumbnails: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a picture of each scene into this folder."),
    ] = None,
    scene_threshold: Annotated[float | None, typer.Option(help="Lowest score of a cut.")] = None,
    scene_alpha: Annotated[
        float | None, typer.Option(help="Weight of the newest frame in the running average.")
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Follow the analysis live.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the JSON to this file.")
    ] = None,
    with_embeddings: Annotated[
        bool, typer.Option("--with-embeddings", help="Include embeddings in the JSON.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.001, help="Longest wait in seconds.")] = 600.0,
    server_path: Annotated[
        bool, typer.Option("--server-path", help="VIDEO is a path in the server's media folder.")
    ] = False,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Analyse a video: tags, a caption, cuts, quality."""
    if stream and protocol is ProtocolName.HTTP:
        raise typer.BadParameter("--stream needs --protocol grpc")
    options: AnalysisOptions = {
        "find": find or None,
        "tags": None if tags is None else [tag.strip() for tag in tags.split(",") if tag.strip()],
        "chunk_seconds": chunk_seconds,
        "frames_per_chunk": frames_per_chunk,
        "sample_fps": sample_fps,
        "keyframes_only": keyframes_only,
        "crop": _four_numbers("--crop", crop, float),
        "crop_px": _four_numbers("--crop-px", crop_px, int),
        "stream_index": stream_index,
        "top_k": top_k,
        "scenes": None if scenes is None else scenes.value,
        "min_scene_seconds": min_scene,
        "with_scene_trace": scene_trace,
        "scene_threshold": scene_threshold,
        "scene_alpha": scene_alpha,
        "with_embeddings": with_embeddings,
    }
    check_writable(output, "--output")
    files = SceneFiles(export or (), thumbnails, drop_frame)
    tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with errors_as_sentences(), connected_client(url, protocol, timeout, tls_settings) as client:
        files.check(find)
        run, source = _follow if stream else _ask, video_source(video, server_path)
        analysis = run(client, source, options)
        _print(analysis, video, as_json, output)
        files.write(client, analysis, source)


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


def _ask(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    return client.analyze(source, **options)


def _follow(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    """Stream the analysis and show its progress."""
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


def _print(analysis: Analysis, video: str, as_json: bool, output: Path | None) -> None:
    """Print an analysis, and write it to `output`; raises OSError if that fails.

    An analysis that cannot be written is printed as JSON, so that it is not lost.
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
