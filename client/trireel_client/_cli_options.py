# SPDX-License-Identifier: Apache-2.0
"""The options of all commands: where the server is, and how to talk to it."""

import enum
from pathlib import Path
from typing import Annotated, TypedDict

import typer


class ProtocolName(enum.StrEnum):
    """How to talk to the server."""

    GRPC = "grpc"
    HTTP = "http"


Url = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="The server; by default 127.0.0.1:8001, by HTTP 127.0.0.1:8000."
    ),
]
ProtocolOption = Annotated[ProtocolName, typer.Option(help="How to talk to the server.")]
TlsOption = Annotated[
    bool, typer.Option("--tls", help="Talk with TLS; any of the next four options implies it.")
]
CaFile = Annotated[
    Path | None, typer.Option(help="Authorities to trust instead of the system's, PEM.")
]
CertificateFile = Annotated[
    Path | None, typer.Option(help="Certificate of your own for servers that want one, PEM.")
]
KeyFile = Annotated[Path | None, typer.Option(help="Its key, PEM.")]
ServerName = Annotated[
    str | None,
    typer.Option(help="Name in the server's certificate, where the address has another."),
]


class TlsOptions(TypedDict):
    """How to talk with TLS, as `Tls` takes it."""

    ca_file: Path | None
    certificate_file: Path | None
    key_file: Path | None
    server_name: str | None


def tls_options(
    asked: bool,
    ca_file: Path | None,
    certificate_file: Path | None,
    key_file: Path | None,
    server_name: str | None,
) -> TlsOptions | None:
    """Return what the options say of TLS, None where none of them is given."""
    options: TlsOptions = {
        "ca_file": ca_file,
        "certificate_file": certificate_file,
        "key_file": key_file,
        "server_name": server_name,
    }
    asked = asked or any(value is not None for value in options.values())
    return options if asked else None
