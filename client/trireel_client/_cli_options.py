# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share: the server's address, protocol and TLS, and analyses."""

import enum
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from trireel_schema.catalogue import DEFAULT_FINDINGS, FINDINGS


class ProtocolName(enum.StrEnum):
    """The protocol of the requests."""

    GRPC = "grpc"
    HTTP = "http"


class JsonNamesName(enum.StrEnum):
    """The names of the fields of the JSON."""

    TRIREEL = "trireel"
    R0 = "r0"


class SceneModeName(enum.StrEnum):
    """The way to find scenes."""

    SAMPLED = "sampled"
    REFINED = "refined"
    EXACT = "exact"


class ClipCodecName(enum.StrEnum):
    """The codec of clips."""

    VP9 = "vp9"
    AV1 = "av1"


class ClipDeadlineName(enum.StrEnum):
    """The care that the VP9 encoder takes."""

    REALTIME = "realtime"
    GOOD = "good"


class ObjectsModeName(enum.StrEnum):
    """The way to find objects."""

    CHUNKED = "chunked"
    COMBINED = "combined"


Url = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="The server; by default 127.0.0.1:8001, by HTTP 127.0.0.1:8000."
    ),
]
ProtocolOption = Annotated[ProtocolName, typer.Option(help="The protocol of the requests.")]
TlsOption = Annotated[
    bool, typer.Option("--tls", help="Use TLS; any of the next four options implies it.")
]
CaFile = Annotated[
    Path | None, typer.Option(help="Authorities to trust instead of the system's, PEM.")
]
CertificateFile = Annotated[
    Path | None, typer.Option(help="Certificate of this client, if the server requires one, PEM.")
]
KeyFile = Annotated[Path | None, typer.Option(help="Its key, PEM.")]
ServerName = Annotated[
    str | None,
    typer.Option(help="Name in the server's certificate, if it is not the address."),
]


Find = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help=f"Finding to make: {', '.join(FINDINGS)}; repeat it for several."
        f" By default {', '.join(DEFAULT_FINDINGS)}.",
    ),
]
Tags = Annotated[
    str | None,
    typer.Option(metavar="A,B,...|@FILE", help="Tags to score instead of the server's."),
]
KeyframesOnly = Annotated[
    bool, typer.Option("--keyframes-only", help="Decode keyframes only, which is fast.")
]
StreamIndex = Annotated[int | None, typer.Option(help="Index in the file of the video stream.")]
IsServerPath = Annotated[
    bool,
    typer.Option("--server-path", help="VIDEO is a path in the server's media folder."),
]


class TlsOptions(TypedDict):
    """The TLS options, as `Tls` takes them."""

    ca_file: Path | None
    certificate_file: Path | None
    key_file: Path | None
    server_name: str | None


def tls_options(
    use_tls: bool,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    server_name: str | None,
) -> TlsOptions | None:
    """Return the TLS options of a command line, None if it asks for no TLS."""
    options: TlsOptions = {
        "ca_file": ca_file,
        "certificate_file": certificate_file,
        "key_file": key_file,
        "server_name": server_name,
    }
    use_tls = use_tls or any(value is not None for value in options.values())
    return options if use_tls else None
