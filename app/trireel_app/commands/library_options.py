# SPDX-License-Identifier: Apache-2.0
"""What the commands of the library share: its place, the server, names and times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
VideoNames = Annotated[
    list[str] | None,
    typer.Option(
        "--video",
        metavar="NAME",
        help="Id of a video, or part of its address; repeat it for several.",
    ),
]
Url = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="The server; by default 127.0.0.1:8001.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]


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
    from trireel_client import TrireelClient

    return TrireelClient(url)


def same_checkpoint(client: TrireelClient, keeper: Keeper) -> ServerDetails:
    """Return a server's details; LibraryError if its embeddings are not the library's kind."""
    from trireel_app.library import Checkpoint

    details = client.server_details()
    keeper.library.check(Checkpoint.of(details))
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
