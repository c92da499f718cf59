# SPDX-License-Identifier: Apache-2.0
"""The command `trireel captions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    ClipCodecName,
    ClipDeadlineName,
    IsServerPath,
    KeyFile,
    ProtocolName,
    ServerName,
    StreamIndex,
    TlsOption,
    Url,
    tls_options,
)
from trireel_client._command.caption_files import CaptionFiles
from trireel_client._command.caption_run import print_reading, read_captions
from trireel_client._command.connect import connected_client, errors_as_sentences
from trireel_client._command.numbers import four_numbers
from trireel_client._command.videos import video_source

if TYPE_CHECKING:
    from trireel_client import CaptionOptions

OPTION_NAMES = {"SAMPLE_FPS": "--fps"}
"""Options of this command by the names of their tensors, if they differ from other commands'."""
LONGEST_WAIT_SECONDS = 86_400.0  # a long video on a small machine


def captions(
    video: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO",
            help="File, URI, - for the bytes on standard input, or with --server-path a name.",
        ),
    ],
    url: Url = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="L,T,W,H", help="Region with captions: left, top, width, height as fractions."
        ),
    ] = None,
    crop_px: Annotated[
        str | None, typer.Option(metavar="L,T,W,H", help="Region with captions in pixels, instead.")
    ] = None,
    find_region: Annotated[
        bool, typer.Option("--find-region", help="Find the region, where text keeps returning.")
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames to look at in each second, by default 10; 0 for every frame."),
    ] = None,
    stream_index: StreamIndex = None,
    srt: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the captions as SubRip."),
    ] = None,
    vtt: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the captions as WebVTT."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone, at the end.")] = False,
    clips: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|s3://BUCKET/PREFIX", help="Write the region as WebM clips to this place."
        ),
    ] = None,
    clip_seconds: Annotated[
        float | None, typer.Option(help="Length of a clip in seconds, by default 10.")
    ] = None,
    clip_codec: Annotated[
        ClipCodecName | None, typer.Option(help="Codec of the clips, by default vp9.")
    ] = None,
    clip_deadline: Annotated[
        ClipDeadlineName | None,
        typer.Option(help="Care of the VP9 encoder: fast (default), or smaller clips."),
    ] = None,
    clip_cpu_used: Annotated[
        int | None,
        typer.Option(help="Speed of the encoder: 0 to 8 for vp9, 0 to 13 for av1.", min=0, max=13),
    ] = None,
    clip_crf: Annotated[
        int | None,
        typer.Option(help="Quality of the clips: lower is better and larger.", min=0, max=63),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Longest wait in seconds.")
    ] = LONGEST_WAIT_SECONDS,
    server_path: IsServerPath = False,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Read the captions in a video's picture: their texts, and when each is on screen.

    Prints each caption as it ends, and a report of all stages at the end.
    """
    options: CaptionOptions = {
        "crop": four_numbers("--crop", crop, float),
        "crop_px": four_numbers("--crop-px", crop_px, int),
        "find_region": find_region,
        "sample_fps": fps,
        "stream_index": stream_index,
        "with_clips": clips is not None,
        "clip_seconds": clip_seconds,
        "clip_codec": None if clip_codec is None else clip_codec.value,
        "clip_deadline": None if clip_deadline is None else clip_deadline.value,
        "clip_cpu_used": clip_cpu_used,
        "clip_crf": clip_crf,
    }
    _check(options)
    files = CaptionFiles(srt, vtt)
    files.check()
    tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with (
        errors_as_sentences(OPTION_NAMES),
        connected_client(url, ProtocolName.GRPC, timeout, tls_settings) as client,
    ):
        source = video_source(video, server_path)
        reading = read_captions(client, source, video, options, clips, quiet=as_json)
        files.write(reading.captions, reading.report)
        print_reading(reading, video, as_json)


def _check(options: CaptionOptions) -> None:
    """Reject options that contradict each other; raises typer.BadParameter."""
    if options["find_region"] and (options["crop"] or options["crop_px"]):
        raise typer.BadParameter("got a region and --find-region: give one of them")
    for name in ("clip_seconds", "clip_codec", "clip_deadline", "clip_cpu_used", "clip_crf"):
        if options.get(name) is not None and not options["with_clips"]:
            option = f"--{name.replace('_', '-')}"
            raise typer.BadParameter("is for clips: add --clips", param_hint=option)
