# SPDX-License-Identifier: Apache-2.0
"""The command `trireel index`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import (
    DEFAULT_LIBRARY,
    Json,
    LibraryRoot,
    opened,
    printable,
    short_name,
)
from trireel_client._cli_options import SceneModeName

if TYPE_CHECKING:
    from trireel_app.index.feed import Feed, Outcome
    from trireel_app.index.keeper import Keeper
    from trireel_app.sources.expand import SourceOptions
    from trireel_app.sources.source import VideoSource
    from trireel_client import AnalysisOptions


def index(
    videos: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="Files, folders, patterns and URIs."),
    ] = None,
    library: LibraryRoot = DEFAULT_LIBRARY,
    url: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The server, by default 127.0.0.1:8001; repeat it for several.",
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Take the videos in folders below too.")
    ] = False,
    uri_file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Sources, one a line; repeat it for several."),
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="CSV, JSONL or Parquet with options for each video."),
    ] = None,
    sample_fps: Annotated[
        float | None, typer.Option(help="Number of frames to sample from each second.")
    ] = None,
    scenes: Annotated[
        SceneModeName | None, typer.Option(help="Way to find scenes; by default refined.")
    ] = None,
    in_flight: Annotated[
        int, typer.Option(min=1, help="Number of videos that are analysed at the same time.")
    ] = 2,
    again: Annotated[
        bool, typer.Option("--again", help="Analyse videos again that have not changed.")
    ] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails/--no-thumbnails", help="Keep a picture of each scene.")
    ] = True,
    descriptions: Annotated[
        bool,
        typer.Option(
            "--descriptions/--no-descriptions",
            help="Have scenes described if the server can.",
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Analyse videos, and add them to a library that `trireel search` looks into.

    A video that is in the library replaces itself; one that has not changed is left as it is.
    Exits with 1 if a video was not indexed, and goes on with the next one.
    """
    from trireel_app.index.feed import Feed
    from trireel_app.sources.expand import SourceOptions

    options: AnalysisOptions = {}
    if sample_fps is not None:
        options["sample_fps"] = sample_fps
    if scenes is not None:
        options["scenes"] = scenes.value
    sources = SourceOptions(
        tuple(videos or ()), recursive, tuple(uri_file or ()), tuple(manifest or ())
    )
    settings = Feed(options, in_flight, again, thumbnails, descriptions)
    counts = Counts(as_json)
    with errors_as_sentences():
        keeper = opened(library, must_exist=False)
        asyncio.run(_feed(keeper, sources, settings, tuple(url or ()), counts))
        if not as_json:
            typer.echo(_summary(counts, keeper), err=True)
    if counts.failed:
        raise typer.Exit(1)


@dataclass
class Counts:
    """Prints the outcomes, and counts them."""

    as_json: bool
    """True to print a JSON object a line."""
    indexed: int = 0
    """Number of videos that were analysed and indexed."""
    unchanged: int = 0
    """Number of videos that have not changed."""
    failed: int = 0
    """Number of videos that were not indexed."""

    def report(self, outcome: Outcome) -> None:
        """Print and count the outcome of one video."""
        name = short_name(outcome.uri)
        if outcome.entry is None:
            self.failed += 1
            typer.echo(f"trireel: {name}: {printable(outcome.error)}", err=True)
        elif outcome.unchanged:
            self.unchanged += 1
        else:
            self.indexed += 1
        if self.as_json:
            typer.echo(_json_line(outcome))
        elif outcome.entry is not None:
            scenes = sum(file.startswith("thumbnails/") for file in outcome.entry.files)
            typer.echo(
                f"{name}  {outcome.entry.duration_seconds:.2f} s, {outcome.entry.num_frames} frames"
                + (f", {scenes} scenes" if scenes else "")
                + ("  (unchanged)" if outcome.unchanged else "")
            )


async def _feed(
    keeper: Keeper,
    sources: SourceOptions,
    settings: Feed,
    urls: tuple[str, ...],
    counts: Counts,
) -> None:
    from trireel_app.analyse.servers import ServerLimits, Servers
    from trireel_app.index.feed import feed
    from trireel_app.sources.expand import expand
    from trireel_client import AsyncTrireelClient

    limits = ServerLimits(in_flight=settings.in_flight, wait_seconds=10)
    servers = Servers(urls or ("127.0.0.1:8001",), limits, AsyncTrireelClient)
    try:
        outside = _outside(keeper.library.root, expand(sources))
        await feed(keeper, servers, outside, settings, counts.report)
    finally:
        await servers.close()


def _outside(root: str, sources: Iterable[VideoSource]) -> Iterator[VideoSource]:
    """Yield the sources that are not in the library's own folder: its pictures are no videos."""
    for source in sources:
        if source.path is None or not source.path.resolve().is_relative_to(root):
            yield source


def _json_line(outcome: Outcome) -> str:
    entry = outcome.entry
    found = (
        {}
        if entry is None
        else {
            "video_id": entry.video_id,
            "duration_seconds": entry.duration_seconds,
            "num_frames": entry.num_frames,
            "unchanged": outcome.unchanged,
        }
    )
    return json.dumps({"video": outcome.uri, **found, "error": outcome.error}, ensure_ascii=False)


def _summary(counts: Counts, keeper: Keeper) -> str:
    parts = [f"{counts.indexed} indexed"]
    if counts.unchanged:
        parts.append(f"{counts.unchanged} unchanged")
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    frames = 0 if keeper.library.checkpoint() is None else keeper.store().num_frames()
    return f"trireel: {', '.join(parts)}; {keeper.library.root} holds {frames} frames"
