# SPDX-License-Identifier: Apache-2.0
"""What the commands of the library share: its place, the server, errors as sentences."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_app.errors import AppError, InvalidOption
from trireel_client._command.sentences import sentence

if TYPE_CHECKING:
    from trireel_app.index.keeper import Keeper
    from trireel_client import ServerDetails, TrireelClient

DEFAULT_LIBRARY = "library"

LibraryRoot = Annotated[
    str,
    typer.Option(
        "--library",
        envvar="TRIREEL_LIBRARY",
        metavar="DIR|s3://...",
        help="Folder or S3 prefix of the library.",
    ),
]
Url = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="The server; by default 127.0.0.1:8001.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Print an error of the app or the client as one sentence, and end with its status."""
    from trireel_client import TrireelError

    try:
        yield
    except BrokenPipeError:  # the reader has closed: typer ends silently
        raise
    except AppError as error:
        typer.echo(f"trireel: {error}", err=True)
        raise typer.Exit(error.exit_status) from error
    except (TrireelError, OSError) as error:
        typer.echo(f"trireel: {sentence(error)}", err=True)
        raise typer.Exit(1) from error


def opened(root: str, *, must_exist: bool = True) -> Keeper:
    """Return a library and its index.

    Raises:
        LibraryError: if it must exist and is empty, or cannot be read.
        InvalidOption: if the place cannot be one.
    """
    from trireel_app.index.keeper import Keeper
    from trireel_app.library import Library

    keeper = Keeper(Library(root))
    if must_exist:
        keeper.store()
    return keeper


def connected(url: str | None) -> TrireelClient:
    """Return a client of the server; it connects at its first request."""
    # gRPC's own log would mix with our one sentence. gRPC reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from trireel_client import TrireelClient

    return TrireelClient(url)


def same_checkpoint(client: TrireelClient, keeper: Keeper) -> ServerDetails:
    """Return a server's details; LibraryError if its embeddings are not the library's kind."""
    from trireel_app.library import Checkpoint

    details = client.server_details()
    keeper.library.check(
        Checkpoint(details.checkpoint, details.weights_sha256, details.embedding_dim)
    )
    return details


def short_name(uri: str) -> str:
    """Return a video's address as people see it: without the current folder."""
    path = Path(uri)
    if "://" not in uri and path.is_relative_to(Path.cwd()):
        return printable(str(path.relative_to(Path.cwd())))
    return printable(uri)


def printable(text: str) -> str:
    """Replace what a terminal would obey: names and texts come from others."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds, such as 1:02.50, with hours if there are any."""
    sign, hundredths = ("-" if seconds < 0 else ""), round(abs(seconds) * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{start}:{rest // 100:02d}.{rest % 100:02d}"


def is_terminal() -> bool:
    """Return whether a person reads stderr as it is written."""
    return sys.stderr.isatty()


def checked_number(value: int, option: str, least: int = 1) -> int:
    """Return a number; raises InvalidOption if it is too small."""
    if value < least:
        raise InvalidOption(f"{option} is {value}: give {least} or more")
    return value
