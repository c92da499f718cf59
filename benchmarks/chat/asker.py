# SPDX-License-Identifier: Apache-2.0
"""Asks all questions of a library through a server."""

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.chat.questions import Asked
from trireel_app.analyse.servers import ServerLimits, Servers
from trireel_app.chat.answers import Answer, Chat, ChatRequest, FoundMoments, answer_events
from trireel_app.chat.limits import ChatLimits
from trireel_app.chat.models import ServerModels
from trireel_app.index.feed import Feed, Outcome, feed
from trireel_app.index.keeper import Keeper
from trireel_app.library import Library
from trireel_app.sources.expand import SourceOptions, expand
from trireel_client import AsyncTrireelClient

Found = dict[str, Any]


FINDINGS = ("tags", "caption", "scenes")


def index(videos: Path, library: Path, address: str) -> Keeper:
    """Index all videos of a folder; return the library."""
    keeper = Keeper(Library(library))
    outcomes: list[Outcome] = []

    async def run() -> None:
        servers = Servers((address,), ServerLimits(in_flight=2), AsyncTrireelClient)
        try:
            sources = expand(SourceOptions((str(videos),)))
            await feed(keeper, servers, sources, Feed({"find": FINDINGS}), outcomes.append)
        finally:
            await servers.close()

    asyncio.run(run())
    if failed := [outcome for outcome in outcomes if outcome.error]:
        raise RuntimeError(f"{failed[0].uri}: {failed[0].error}")
    return keeper


def ask_all(
    keeper: Keeper, address: str, questions: tuple[Asked, ...], limits: ChatLimits
) -> list[Found]:
    """Return the answer to each question, with the moments that were found and the time."""
    return asyncio.run(_ask_all(keeper, address, questions, limits))


async def _ask_all(
    keeper: Keeper, address: str, questions: tuple[Asked, ...], limits: ChatLimits
) -> list[Found]:
    videos = {entry.video_id: entry.uri for entry in keeper.library.videos()}
    async with AsyncTrireelClient(address) as client:
        models = ServerModels(lambda: [client])
        chat = Chat(keeper=keeper, embedder=models, writer=models, limits=limits)
        # The first question opens connections and loads models.
        await _asked(chat, ChatRequest(text=questions[0].text, videos=videos))
        return [
            {
                "question": question.text,
                "kind": question.kind,
                "truth": [asdict(segment) for segment in question.truth],
                **await _asked(chat, ChatRequest(text=question.text, videos=videos)),
            }
            for question in questions
        ]


async def _asked(chat: Chat, request: ChatRequest) -> Found:
    began = time.perf_counter()
    moments: list[Found] = []
    async for event in answer_events(chat, request):
        if isinstance(event, FoundMoments):
            moments = [
                {
                    "name": sighting.name,
                    "start_seconds": sighting.start_seconds,
                    "end_seconds": sighting.end_seconds,
                    "picture_seconds": sighting.picture_seconds,
                    "probability": sighting.probability,
                }
                for sighting in event.sightings
            ]
        if isinstance(event, Answer):
            return {
                "ms": round((time.perf_counter() - began) * 1e3, 1),
                "mode": str(event.mode),
                "backend": event.backend,
                "answer": event.text,
                "citations": [asdict(citation) for citation in event.citations],
                "removed": list(event.removed),
                "moments": moments,
            }
    raise AssertionError("the events end with the answer")
