# SPDX-License-Identifier: Apache-2.0
"""Videos through a server into a library and its index."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trireel_app.analyse.servers import Lease, NoServer, Servers
from trireel_app.analyse.video import VideoResult, Watch, analyse_video, effective_options
from trireel_app.errors import AppError
from trireel_app.index.keeper import Keeper
from trireel_app.library import Checkpoint, Entry, VideoRecord, record_of, video_id_of
from trireel_app.sources.facts import stamp_of
from trireel_app.sources.source import VideoSource
from trireel_client import AnalysisOptions, ServerUnavailable, TrireelError
from trireel_client._timeline.pictures import jpeg
from trireel_schema.catalogue import DEFAULT_FINDINGS

DESCRIPTION = "description"
MORE_FINDINGS = ("objects", "text", DESCRIPTION)
"""Findings that the index holds too if the server makes them."""
ATTEMPTS = 3  # of a video whose server is lost or full


@dataclass(frozen=True)
class Feed:
    """How videos are analysed for the index."""

    options: AnalysisOptions = field(default_factory=AnalysisOptions)
    """Options of the analysis; embeddings are requested anyway."""
    in_flight: int = 2
    """Number of videos that are analysed at the same time."""
    again: bool = False
    """True to analyse videos again that have not changed since they were indexed."""
    with_thumbnails: bool = True
    """True to keep a picture of each scene."""
    with_descriptions: bool = True
    """True to have scenes described if the server can: a large model takes a while for each."""


@dataclass(frozen=True)
class Outcome:
    """What became of one video."""

    uri: str
    """Address of the video."""
    entry: Entry | None = None
    """Entry of the video; None if it was not indexed."""
    error: str = ""
    """Sentence that says why it was not indexed; empty if it was."""
    unchanged: bool = False
    """True if it was indexed before and has not changed since."""


async def feed(
    keeper: Keeper,
    servers: Servers,
    sources: Iterable[VideoSource],
    settings: Feed,
    report: Callable[[Outcome], None],
) -> None:
    """Index videos, and report each video's outcome as it comes; they come in any order.

    A video that cannot be analysed does not end it.

    Raises:
        LibraryError: if the library cannot be written.
        NoServer: if no server is ready.
    """
    names = iter(sources)

    async def work() -> None:
        for source in names:
            report(await _outcome(keeper, servers, source, settings))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.in_flight):
                group.create_task(work())
    except* (AppError, TrireelError) as failures:
        raise failures.exceptions[0] from None
    await asyncio.to_thread(keeper.maintain)


async def _outcome(
    keeper: Keeper, servers: Servers, source: VideoSource, settings: Feed
) -> Outcome:
    try:
        return await _indexed(keeper, servers, source, settings)
    except NoServer:
        raise
    except TrireelError as error:
        return Outcome(source.uri, error=str(error))


async def _indexed(
    keeper: Keeper, servers: Servers, source: VideoSource, settings: Feed
) -> Outcome:
    for attempt in range(ATTEMPTS):
        try:
            async with servers.lease() as lease:
                options = await library_options(
                    keeper, lease, settings.options, with_descriptions=settings.with_descriptions
                )
                before = await asyncio.to_thread(keeper.library.entry, video_id_of(source.uri))
                if before and not settings.again and await _is_same(before, source, lease, options):
                    return Outcome(source.uri, before, unchanged=True)
                record = await analysed_record(
                    lease, source, options, with_thumbnails=settings.with_thumbnails
                )
            break
        except NoServer:
            raise
        except ServerUnavailable:  # the next lease is another server's, or waits
            if attempt == ATTEMPTS - 1:
                raise
    return Outcome(source.uri, await asyncio.to_thread(keeper.put, record))


async def analysed_record(
    lease: Lease,
    source: VideoSource,
    options: AnalysisOptions,
    *,
    with_thumbnails: bool = True,
    watch: Watch | None = None,
    video_id: str | None = None,
) -> VideoRecord:
    """Analyse a video by a leased server; return what a library keeps of it.

    Args:
        options: options that `library_options` returned.
        watch: gets each chunk as it is ready.
        video_id: id in the library; None for the one that is made of the address.

    Raises:
        TrireelError: if there is no answer.
        LibraryError: if the answer has no embeddings.
    """
    result = await analyse_video(lease.client, source, options, lease.facts, watch)
    pictures = await _thumbnails(lease, result) if with_thumbnails else []
    return record_of(
        source.uri,
        result.analysis,
        result.manifest.server.weights_sha256,
        thumbnails=pictures,
        facts={"manifest": result.manifest.to_json(), "stamp": result.stamp},
        video_id=video_id,
    )


async def library_options(
    keeper: Keeper, lease: Lease, options: AnalysisOptions, *, with_descriptions: bool = True
) -> AnalysisOptions:
    """Return the options of the analysis with all findings that the index holds.

    Args:
        with_descriptions: False to leave out descriptions, which a large model takes a while for.

    Raises:
        LibraryError: if the library holds embeddings of another checkpoint.
    """
    details = await lease.client.server_details()
    await asyncio.to_thread(keeper.library.check, Checkpoint.of(details))
    wanted = [name for name in MORE_FINDINGS if with_descriptions or name != DESCRIPTION]
    more = [name for name in wanted if name in details.findings]
    return {"find": [*DEFAULT_FINDINGS, *more], **options, "with_embeddings": True}


async def _is_same(
    entry: Entry, source: VideoSource, lease: Lease, options: AnalysisOptions
) -> bool:
    """Return whether an analysis would give what the library has."""
    stamp = await asyncio.to_thread(stamp_of, source)
    made = entry.facts.get("manifest") or {}
    would_be = {
        "server": lease.facts.to_json(),
        "options": dict(effective_options(options, source)),
    }
    # By way of JSON, as the library has it: a tuple is a list.
    is_same = json.loads(json.dumps(would_be)) == {name: made.get(name) for name in would_be}
    return bool(stamp) and entry.facts.get("stamp") == stamp and is_same


async def _thumbnails(lease: Lease, result: VideoResult) -> list[bytes]:
    found = await lease.client.thumbnails(result.source.uri, result.analysis)
    return await asyncio.to_thread(lambda: [jpeg(picture) for picture in found])
