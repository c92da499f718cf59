# SPDX-License-Identifier: Apache-2.0
"""The command `trireel ask`."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import (
    DEFAULT_LIBRARY,
    Json,
    LibraryRoot,
    Url,
    VideoNames,
    opened,
    printable,
)
from trireel_app.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trireel_app.chat.answers import Answer
    from trireel_app.index.keeper import Keeper


def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question, in words.")],
    library: LibraryRoot = DEFAULT_LIBRARY,
    video: VideoNames = None,
    own_questions: Annotated[
        bool,
        typer.Option(
            "--own-questions",
            help="Ask the model that looks at pictures the question itself, not a short one.",
        ),
    ] = False,
    pictures: Annotated[
        int, typer.Option(min=0, max=16, help="Largest number of pictures to look at.")
    ] = 3,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Answer a question about the videos of a library, with times.

    Each time in the answer, as in [clip.mp4 00:12.340], was checked: it is a moment that the search
    found. Without a text model on the server, the answer lists what the search found.
    """
    with errors_as_sentences():
        if not question.strip():
            raise InvalidOption("the question is blank: give some words")
        keeper = opened(library)
        videos = _videos(keeper, video or ())
        answer = asyncio.run(
            _answer(keeper, question, videos, url, as_json, own_questions, pictures)
        )
    if as_json:
        typer.echo(json.dumps(_plain(answer), ensure_ascii=False))
        return
    typer.echo()
    if answer.removed:
        removed = ", ".join(map(printable, answer.removed))
        typer.echo(f"trireel: wrong citations of the model were taken out: {removed}", err=True)


def _videos(keeper: Keeper, names: Sequence[str]) -> dict[str, str]:
    """Return the addresses of the videos that are named, of all if none is, by their ids."""
    if not names:
        return {entry.video_id: entry.uri for entry in keeper.library.videos()}
    found: dict[str, str] = {}
    for name in names:
        matching = {entry.video_id: entry.uri for entry in keeper.matching(name)}
        if not matching:
            raise InvalidOption(f"--video is {name!r}: the library has no such video")
        found |= matching
    return found


async def _answer(
    keeper: Keeper,
    question: str,
    videos: Mapping[str, str],
    url: str | None,
    is_quiet: bool,
    own_questions: bool,
    pictures: int,
) -> Answer:
    """Return the answer; prints its pieces as they come unless it is quiet."""
    from trireel_app.chat.answers import Answer, AnswerPiece, Chat, ChatRequest, answer_events
    from trireel_app.chat.limits import ChatLimits
    from trireel_app.chat.models import ServerModels
    from trireel_client import AsyncTrireelClient

    limits = replace(ChatLimits(), own_questions=own_questions, pictures=pictures)
    request = ChatRequest(text=question, videos=videos)
    async with AsyncTrireelClient(url) as client:
        models = ServerModels(lambda: [client])
        chat = Chat(keeper=keeper, embedder=models, writer=models, limits=limits)
        async with aclosing(answer_events(chat, request)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
                if isinstance(event, AnswerPiece) and not is_quiet:
                    typer.echo("\n".join(map(printable, event.text.split("\n"))), nl=False)
    raise AssertionError("the events end with the answer")


def _plain(answer: Answer) -> dict[str, Any]:
    values = asdict(answer)
    return {"answer": values.pop("text"), **values}
