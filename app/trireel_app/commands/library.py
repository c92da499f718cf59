# SPDX-License-Identifier: Apache-2.0
"""The command `trireel library`: what a library holds, and its upkeep."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import (
    DEFAULT_LIBRARY,
    Json,
    LibraryRoot,
    opened,
    short_name,
)

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="List, remove, compact, repair a library."
)


@app.command("list")
def list_videos(library: LibraryRoot = DEFAULT_LIBRARY, as_json: Json = False) -> None:
    """List the videos of a library."""
    with errors_as_sentences():
        for entry in opened(library).library.videos():
            if as_json:
                found = {name: value for name, value in asdict(entry).items() if name != "files"}
                typer.echo(json.dumps(found, ensure_ascii=False))
            else:
                typer.echo(
                    f"{entry.video_id}  {entry.duration_seconds:9.2f} s"
                    f"  {entry.num_frames:6d} frames  {short_name(entry.uri)}"
                )


@app.command()
def remove(
    videos: Annotated[
        list[str], typer.Argument(metavar="VIDEO...", help="Ids, or parts of addresses.")
    ],
    library: LibraryRoot = DEFAULT_LIBRARY,
) -> None:
    """Remove videos from a library and its index. The videos themselves stay where they are."""
    with errors_as_sentences():
        keeper = opened(library)
        missing = False
        for name in videos:
            found = list(keeper.matching(name))
            for entry in found:
                keeper.remove(entry.video_id)
                typer.echo(f"{entry.video_id}  {short_name(entry.uri)}")
            if not found:
                missing = True
                typer.echo(f"trireel: there is no video {name!r} in the library", err=True)
        if missing:
            raise typer.Exit(1)


@app.command()
def compact(
    library: LibraryRoot = DEFAULT_LIBRARY,
    keep_minutes: Annotated[
        float, typer.Option(min=0, help="Age of files that readers may still have open.")
    ] = 60,
) -> None:
    """Merge the index's small files, and remove files that are not needed any more."""
    with errors_as_sentences():
        removed = opened(library).compact(timedelta(minutes=keep_minutes))
        typer.echo(f"trireel: {removed} files of older results were removed", err=True)


@app.command()
def repair(library: LibraryRoot = DEFAULT_LIBRARY) -> None:
    """Make the index what the library says, after a writer was killed or the index was lost."""
    with errors_as_sentences():
        keeper = opened(library)
        done = keeper.repair()
        keeper.maintain()
        typer.echo(
            f"trireel: {len(done.added)} videos were added to the index,"
            f" {len(done.removed)} were removed from it",
            err=True,
        )
