# SPDX-License-Identifier: Apache-2.0
"""The command `trireel retag`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import (
    DEFAULT_LIBRARY,
    Json,
    LibraryRoot,
    Url,
    connected,
    opened,
    printable,
    same_checkpoint,
    short_name,
)
from trireel_app.errors import LibraryError
from trireel_client._command.texts import texts_in

if TYPE_CHECKING:
    from trireel_app.index.keeper import Keeper
    from trireel_app.library import Entry, VideoRecord
    from trireel_schema.texts import TextSet
    from trireel_schema.vectors import Calibration

TAGS_IN_LINE = 3


def retag(
    tags: Annotated[Path, typer.Option(metavar="FILE", help="Tags, one a line.")],
    library: LibraryRoot = DEFAULT_LIBRARY,
    video: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Id of a video, or part of its address; default: all."),
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, max=1000, help="Number of tags to keep.")] = 5,
    save: Annotated[
        bool, typer.Option("--save", help="Replace the tags in the library and its index.")
    ] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Score other tags for the videos of a library, without decoding them again.

    The server embeds the tags. Their scores are those that an analysis with these tags would give.
    """
    from trireel_app.index.retag import retagged, tags_as_json

    with errors_as_sentences():
        keeper = opened(library)
        texts, calibration = _embedded(keeper, texts_in(tags, "--tags"), url)
        for entry in _chosen(keeper, video):
            record = retagged(keeper.library.record(entry.video_id), texts, calibration, top_k)
            if as_json:
                typer.echo(json.dumps(tags_as_json(record), ensure_ascii=False))
            else:
                typer.echo(_line(record))
            if save:
                whole = keeper.library.record(entry.video_id, with_thumbnails=True)
                keeper.put(retagged(whole, texts, calibration, top_k))
        if save:
            keeper.maintain()


def _embedded(keeper: Keeper, texts: list[str], url: str | None) -> tuple[TextSet, Calibration]:
    from trireel_schema.texts import TextSet

    with connected(url) as client:
        details = same_checkpoint(client, keeper)
        if details.calibration is None:
            raise LibraryError("the server is older than this command: it tells no calibration")
        return TextSet(tuple(texts), client.embed_texts(texts)), details.calibration


def _chosen(keeper: Keeper, names: list[str] | None) -> Iterator[Entry]:
    for entry in keeper.library.videos():
        if not names or any(name == entry.video_id or name in entry.uri for name in names):
            yield entry


def _line(record: VideoRecord) -> str:
    tags = record.answer["tags"][:TAGS_IN_LINE]
    found = ", ".join(f"{tag['text']} {tag['probability']:.0%}" for tag in tags)
    return f"{short_name(record.uri)}  {printable(found)}"
