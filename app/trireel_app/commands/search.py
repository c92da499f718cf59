# SPDX-License-Identifier: Apache-2.0
"""The command `trireel search`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import (
    DEFAULT_LIBRARY,
    Json,
    LibraryRoot,
    Url,
    VideoNames,
    clock,
    connected,
    opened,
    printable,
    same_checkpoint,
    short_name,
)
from trireel_app.errors import InvalidOption
from trireel_app.index.where import Where

if TYPE_CHECKING:
    from trireel_app.index.keeper import Keeper
    from trireel_app.index.search import Moment, Query

UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
AGO = re.compile(r"(\d+)([mhdw])")


def search(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What the moments show, in words.")
    ] = None,
    library: LibraryRoot = DEFAULT_LIBRARY,
    video: VideoNames = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Videos indexed since then: 2026-11-30, 2026-11-30T08:15, 7d, 12h."
        ),
    ] = None,
    objects: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Object that is seen; repeat it for several at once."),
    ] = None,
    on_screen: Annotated[
        str | None, typer.Option("--text", metavar="WORDS", help="Text that is on the screen.")
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE", exists=True, dir_okay=False, help="Moments that look like a picture."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Largest number of moments.")] = 10,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Find moments in the videos of a library.

    A moment is a stretch of a scene. It comes with the cosine of its best frame to the query, and
    with the probability that the checkpoint gives for it. Conditions narrow a search, or list
    moments without TEXT.
    """
    with errors_as_sentences():
        where = Where(
            since_ns=None if since is None else since_ns(since),
            objects=tuple(objects or ()),
            on_screen=on_screen,
        )
        if text is not None and like is not None:
            raise InvalidOption("got both of TEXT and --like: give one of them")
        if text is None and like is None and where.is_empty and not video:
            raise InvalidOption("got nothing to search for: give TEXT, --like or a condition")
        from trireel_app.index.search import search as search_moments

        keeper = opened(library)
        where = replace(where, videos=_video_ids(keeper, video or ()))
        moments = search_moments(keeper.store(), _query(keeper, text, like, where, url), limit)
    if as_json:
        found = {"query": text, "moments": [_plain(moment, keeper) for moment in moments]}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for moment in moments:
        typer.echo(_line(moment))
    if not moments:
        typer.echo("trireel: no moment was found", err=True)


def since_ns(text: str) -> int:
    """Return a time in nanoseconds since 1970; raises InvalidOption.

    Args:
        text: a date, a date with a time (local unless it names a zone), or how long ago: 30m, 12h,
            7d, 2w.
    """
    if ago := AGO.fullmatch(text.strip()):
        return time.time_ns() - int(ago[1]) * UNIT_SECONDS[ago[2]] * 10**9
    try:
        return int(datetime.fromisoformat(text.strip()).timestamp() * 1e9)
    except ValueError as error:
        reason = f"--since is {text!r}: give a date such as 2026-11-30, or 30m, 12h, 7d, 2w"
        raise InvalidOption(reason) from error


def _video_ids(keeper: Keeper, names: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        ids = keeper.store().ids_of(name)
        if not ids:
            raise InvalidOption(f"--video is {name!r}: the library has no such video")
        found += ids
    return tuple(dict.fromkeys(found))


def _query(
    keeper: Keeper, text: str | None, like: Path | None, where: Where, url: str | None
) -> Query:
    from trireel_app.index.pictures import PICTURE_OPTIONS, picture_embedding
    from trireel_app.index.search import Query

    if text is None and like is None:
        return Query(where=where)
    with connected(url) as client:
        details = same_checkpoint(client, keeper)
        if text is None:
            analysis = client.analyze(str(like), **PICTURE_OPTIONS)
            return Query(embedding=picture_embedding(analysis), where=where)
        embedding = client.embed_texts([text])[0]
        return Query(text, embedding, details.calibration, where)


def _line(moment: Moment) -> str:
    if moment.probability is not None:
        fit = f"{moment.probability:4.0%}"
    else:
        fit = "    " if moment.score is None else f"{moment.score:4.2f}"
    span = f"{clock(moment.start_seconds)}-{clock(moment.end_seconds)}"
    texts = [", ".join(moment.tags[:3]), f"“{moment.caption}”" if moment.caption else ""]
    if moment.on_screen:
        texts.append(f"on screen: {moment.on_screen}")
    return f"{fit}  {short_name(moment.uri)}  {span}  {printable('  '.join(filter(None, texts)))}"


def _plain(moment: Moment, keeper: Keeper) -> dict[str, Any]:
    place = keeper.library.storage.address(moment.thumbnail) if moment.thumbnail else None
    return {**asdict(moment), "thumbnail": place}
