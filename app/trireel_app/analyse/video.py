# SPDX-License-Identifier: Apache-2.0
"""One video through a server."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from trireel_app.analyse.facts import Manifest, ServerFacts, package_version, server_facts
from trireel_app.sources.facts import facts_of, stamp_of
from trireel_app.sources.source import VideoSource
from trireel_client import (
    Analysis,
    AnalysisOptions,
    AsyncTrireelClient,
    ChunkAnalysis,
    TrireelError,
    UnexpectedAnswer,
)

Watch = Callable[[ChunkAnalysis], None]
"""Function that gets each chunk of a video as it is ready."""


class SourceChanged(TrireelError):
    """The file or object changed while it was analysed."""


@dataclass(frozen=True)
class VideoResult:
    """The answer for one video."""

    source: VideoSource
    """The video."""
    analysis: Analysis
    """The server's answer, with embeddings if the options requested them."""
    manifest: Manifest
    """All that the answer depends on."""
    stamp: str
    """Text that changes when the source changes; empty if none is known."""


async def analyse_video(
    client: AsyncTrireelClient,
    source: VideoSource,
    options: AnalysisOptions,
    server: ServerFacts | None = None,
    watch: Watch | None = None,
) -> VideoResult:
    """Analyse a video; its own options replace those of `options`.

    Cancelling the task cancels the request on the server.

    Args:
        server: the server's facts if they are known; otherwise they are requested.
        watch: gets each chunk as it is ready; the answer is the same without it.

    Raises:
        SourceChanged: if the file or object changed meanwhile: it may be analysed again.
        TrireelError: if there is no answer; `trireel_client` lists the reasons.
    """
    server = server or await server_facts(client)
    chosen = effective_options(options, source)
    stamp = await asyncio.to_thread(stamp_of, source)
    # The file is hashed while the server decodes it.
    reading = asyncio.ensure_future(asyncio.to_thread(facts_of, source))
    try:
        analysis = await _answer(client, source.uri, chosen, watch)
        facts = await reading
    finally:
        reading.cancel()
    if await asyncio.to_thread(stamp_of, source) != stamp:
        raise SourceChanged(f"{source.uri} changed while it was analysed")
    manifest = Manifest(source=facts, server=server, options=dict(chosen), client=package_version())
    return VideoResult(source, analysis, manifest, stamp)


def effective_options(options: AnalysisOptions, source: VideoSource) -> AnalysisOptions:
    """Return the options of one video, without those that are None, in order of their names.

    A video's own region replaces the job's, in whichever unit it is given; so does its sampling.
    """
    job = {**options}
    for pair in (("crop", "crop_px"), ("frames_per_chunk", "sample_fps")):
        if any(name in source.options for name in pair):
            for name in pair:
                job.pop(name, None)
    merged = {**job, **source.options}
    chosen = {name: merged[name] for name in sorted(merged) if merged[name] is not None}
    return chosen  # type: ignore[return-value]


async def _answer(
    client: AsyncTrireelClient, uri: str, options: AnalysisOptions, watch: Watch | None
) -> Analysis:
    if watch is None:
        return await client.analyze(uri, **options)
    whole: Analysis | None = None
    async with aclosing(client.stream(uri, **options)) as answers:
        async for answer in answers:
            if isinstance(answer, Analysis):
                whole = answer
            else:
                watch(answer)
    if whole is None:
        raise UnexpectedAnswer("the stream ended before the answer for the whole video")
    return whole
