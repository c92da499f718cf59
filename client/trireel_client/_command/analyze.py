# SPDX-License-Identifier: Apache-2.0
"""The command `trireel analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    Find,
    IsServerPath,
    JsonNamesName,
    KeyFile,
    KeyframesOnly,
    ObjectsModeName,
    ProtocolName,
    ProtocolOption,
    SceneModeName,
    ServerName,
    StreamIndex,
    Tags,
    TlsOption,
    Url,
    tls_options,
)
from trireel_client._command.connect import connected_client, errors_as_sentences
from trireel_client._command.exports import SceneFiles, check_writable
from trireel_client._command.many import Form, analyze_many
from trireel_client._command.numbers import four_numbers
from trireel_client._command.object_files import ObjectFiles
from trireel_client._command.single import ask, follow, print_answer
from trireel_client._command.texts import descriptions_of, listed_texts, tags_of
from trireel_client._command.videos import listed, video_source

if TYPE_CHECKING:
    from trireel_client import AnalysisOptions


def analyze(
    videos: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO...",
            help="Files, URIs, - for the bytes on standard input, or with --server-path names.",
        ),
    ],
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    find: Find = None,
    tags: Tags = None,
    tags_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Such tags, one a line.")
    ] = None,
    descriptions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT|@FILE",
            help="Caption to choose from instead of the server's; repeat it for several.",
        ),
    ] = None,
    descriptions_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Such captions, one a line.")
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
    keyframes_only: KeyframesOnly = False,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,W,H", help="Region to analyse: left, top, width, height as fractions."
        ),
    ] = None,
    crop_px: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="Region to analyse in pixels, instead.")
    ] = None,
    stream_index: StreamIndex = None,
    text_fps: Annotated[
        float | None, typer.Option(help="Frames to read in each second, with --find text.")
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
    html: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write a page: film strip, timeline."),
    ] = None,
    scene_threshold: Annotated[float | None, typer.Option(help="Lowest score of a cut.")] = None,
    scene_alpha: Annotated[
        float | None, typer.Option(help="Weight of the newest frame in the running average.")
    ] = None,
    objects_mode: Annotated[
        ObjectsModeName | None,
        typer.Option(help="Find objects of each chunk alone, or follow them over the whole video."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Classes of objects to find; by default all."),
    ] = None,
    objects_fps: Annotated[
        float | None, typer.Option(help="Number of frames a second to find objects on.")
    ] = None,
    objects_threshold: Annotated[
        float | None, typer.Option(help="Lowest score of an object, 0 to 1.")
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, metavar="FILE.mp4", help="Write the video with boxes, without sound."
        ),
    ] = None,
    coco: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the objects in COCO's format."),
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Follow the analysis live.")] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Analyse all videos in the folders named.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON alone; of several videos one line for each. --json=r0 uses the names"
            " of the pipeline that Trireel replaces.",
        ),
    ] = False,
    json_names: Annotated[JsonNamesName, typer.Option(hidden=True)] = JsonNamesName.TRIREEL,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV alone: a row for each video.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the JSON, or with --csv the CSV, to this file."),
    ] = None,
    with_embeddings: Annotated[
        bool, typer.Option("--with-embeddings", help="Include embeddings in the JSON.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.001, help="Longest wait in seconds.")] = 600.0,
    server_path: IsServerPath = False,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Analyse videos: tags, a caption, cuts, quality, objects.

    Exits with 1 if a video was not analysed, and goes on with the next one.
    """
    _check_forms(stream, protocol, as_json, as_csv)
    options: AnalysisOptions = {
        "find": find or None,
        "tags": tags_of(tags, tags_file),
        "descriptions": descriptions_of(descriptions, descriptions_file),
        "chunk_seconds": chunk_seconds,
        "frames_per_chunk": frames_per_chunk,
        "sample_fps": sample_fps,
        "keyframes_only": keyframes_only,
        "crop": four_numbers("--crop", crop, float),
        "crop_px": four_numbers("--crop-px", crop_px, int),
        "stream_index": stream_index,
        "text_fps": text_fps,
        "top_k": top_k,
        "scenes": None if scenes is None else scenes.value,
        "min_scene_seconds": min_scene,
        "with_scene_trace": scene_trace,
        "scene_threshold": scene_threshold,
        "scene_alpha": scene_alpha,
        "objects_mode": None if objects_mode is None else objects_mode.value,
        "labels": None if labels is None else listed_texts(labels),
        "objects_fps": objects_fps,
        "objects_threshold": objects_threshold,
        "with_embeddings": with_embeddings,
    }
    check_writable(output, "--output")
    files = SceneFiles(export or (), thumbnails, html, drop_frame)
    object_files = ObjectFiles(draw, coco)
    names = listed(videos, recursive=recursive, server_path=server_path)
    is_many = len(videos) > 1 or recursive or as_csv
    if is_many:
        _check_many(stream, files, object_files)
    tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with errors_as_sentences(), connected_client(url, protocol, timeout, tls_settings) as client:
        if is_many:
            form = Form.CSV if as_csv else Form.JSON if as_json else Form.LINES
            analyze_many(client, names, server_path, options, form, output, json_names.value)
            return
        (video,) = names
        files.check(find)
        object_files.check(find, video, server_path)
        run, source = follow if stream else ask, video_source(video, server_path)
        analysis = run(client, source, options)
        print_answer(analysis, video, as_json, output, json_names.value)
        files.write(client, analysis, source, video)
        object_files.write(analysis, video)


def _check_forms(stream: bool, protocol: ProtocolName, as_json: bool, as_csv: bool) -> None:
    """Reject options that contradict each other; raises typer.BadParameter."""
    if stream and protocol is ProtocolName.HTTP:
        raise typer.BadParameter("--stream needs --protocol grpc")
    if as_json and as_csv:
        raise typer.BadParameter("got both of --json and --csv: give one of them")


def _check_many(stream: bool, files: SceneFiles, object_files: ObjectFiles) -> None:
    """Reject options that are for one video; raises typer.BadParameter."""
    options = {
        "--stream": stream,
        "--export": bool(files.exports),
        "--thumbnails": files.thumbnails is not None,
        "--html": files.page is not None,
        "--draw": object_files.draw is not None,
        "--coco": object_files.coco is not None,
    }
    for option, is_set in options.items():
        if is_set:
            reason = "is for one video, without --recursive and --csv"
            raise typer.BadParameter(reason, param_hint=option)
