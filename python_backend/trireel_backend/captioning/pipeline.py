# SPDX-License-Identifier: Apache-2.0
"""The captions of one video: extraction, comparison, reading and clips, all side by side.

Each stage is a task with a short queue behind it. So all stages work at once, none runs far ahead,
and memory does not grow with the length of the video.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trireel_backend.captioning.clips import ClipCutter, ClipFrames
from trireel_backend.captioning.extracting import RegionSource
from trireel_backend.captioning.job import (
    CaptionJob,
    CaptionStages,
    Clip,
    Region,
    VideoFacts,
)
from trireel_backend.captioning.reading import ComparedStretch, Comparing, Reading
from trireel_backend.captioning.region import region_of
from trireel_backend.captioning.report import Report
from trireel_backend.captions.merging import ReadText

QUEUED = 1  # stretches between two stages, beside those in work
PROGRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """Limits of the work for one video in flight."""

    clips_in_flight: int = 2
    """Most clips in the encoder at once."""


@dataclass(frozen=True)
class News:
    """What became known since the last answer; without captions and clips it shows progress."""

    facts: VideoFacts
    region: Region
    report: Report
    captions: tuple[ReadText, ...] = ()
    clips: tuple[Clip, ...] = ()
    position_seconds: float = 0.0
    """PTS up to which the video has been read."""
    is_last: bool = False
    """True for the last news of a video."""


class _End:
    """Marks the end of a queue."""


Result = list[ReadText] | Clip | _End


class CaptionPipeline:
    """The tasks and queues of one video."""

    def __init__(
        self,
        job: CaptionJob,
        facts: VideoFacts,
        region: Region,
        stages: CaptionStages,
        report: Report,
        limits: Limits,
    ) -> None:
        self._job, self._facts, self._region = job, facts, region
        self._stages, self._report, self._limits = stages, report, limits
        self._frames: asyncio.Queue[Any] = asyncio.Queue(QUEUED)
        self._compared: asyncio.Queue[Any] = asyncio.Queue(QUEUED)
        self._clip_frames: asyncio.Queue[Any] = asyncio.Queue(QUEUED)
        self._results: asyncio.Queue[Result] = asyncio.Queue(QUEUED)
        self._calls: set[asyncio.Future[Any]] = set()
        self._position_seconds = facts.start_seconds

    async def news(self) -> AsyncGenerator[News, None]:
        """Yield captions and clips as they are ready, and progress in between."""
        steps = [self._extract(), self._compare(), self._read()]
        encoders = self._limits.clips_in_flight if self._job.with_clips else 0
        steps += [self._encode() for _ in range(encoders)]
        tasks = [asyncio.ensure_future(step) for step in steps]
        news = News(self._facts, self._region, self._report)
        ends = 1 + encoders  # the reader's, too
        try:
            while ends:
                result = await self._next_result(tasks)
                now = replace(news, position_seconds=self._position_seconds)
                if isinstance(result, Clip):
                    yield replace(now, clips=(result,))
                elif isinstance(result, list):
                    yield replace(now, captions=tuple(result))
                elif result is None:
                    yield now
                else:
                    ends -= 1
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # A call of another model cannot be cancelled, and it still reads the video's file.
            await asyncio.gather(*self._calls, return_exceptions=True)
        yield replace(news, is_last=True, position_seconds=self._facts.end_seconds)

    async def _next_result(self, tasks: Sequence["asyncio.Future[None]"]) -> Result | None:
        """Return the next result, None if there is none for a while; raises a task's error."""
        getting = asyncio.ensure_future(self._results.get())
        try:
            while True:
                running = [task for task in tasks if not task.done()]
                awaited: set[asyncio.Future[Any]] = {getting, *running}
                done, _ = await asyncio.wait(
                    awaited,
                    timeout=PROGRESS_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in tasks:
                    if task.done():
                        task.result()  # raises its error
                if getting.done():
                    return getting.result()
                if not done:
                    return None
        finally:
            getting.cancel()

    async def _extract(self) -> None:
        times = self._report["extract"]
        source = RegionSource(self._job, self._facts, self._region, self._stages)
        cutter = ClipCutter(self._facts.start_seconds, self._job.clip_seconds)
        for span in source.spans():
            with times.busy():
                frames = source.stretch(await self._call(source.frames(span)))
            if not frames.moments:
                continue
            times.count += len(frames.moments)
            with times.waiting():
                await self._frames.put(frames)
                if self._job.with_clips:
                    for clip in cutter.after(frames):
                        await self._clip_frames.put(clip)
        await self._frames.put(_End())
        if self._job.with_clips:
            for clip in cutter.end(self._facts.end_seconds):
                await self._clip_frames.put(clip)
            for _ in range(self._limits.clips_in_flight):
                await self._clip_frames.put(_End())

    async def _compare(self) -> None:
        times, comparing = self._report["compare"], Comparing()
        while True:
            with times.starved():
                frames = await self._frames.get()
            if isinstance(frames, _End):
                break
            with times.busy(len(frames.samples)):
                compared = await asyncio.to_thread(comparing.compare, frames)
            with times.waiting():
                await self._compared.put(compared)
        await self._compared.put(_End())

    async def _read(self) -> None:
        times = self._report["read"]
        fps = self._job.sample_fps or self._facts.usual_fps
        reading = Reading(self._stages, self._facts, 1 / fps, times)
        while True:
            with times.starved():
                compared = await self._compared.get()
            is_last = isinstance(compared, _End)
            with times.busy():
                if isinstance(compared, ComparedStretch):
                    found = await self._call(reading.detect(compared))
                    closed = await asyncio.to_thread(reading.follow, compared.frames, found)
                    self._position_seconds = compared.frames.moments[-1].seconds
                else:
                    closed = reading.end()
                captions = await self._call(reading.captions(closed, is_last=is_last))
            self._report["total"].count += len(captions)
            if captions:
                with times.waiting():
                    await self._results.put(captions)
            if is_last:
                break
        await self._results.put(_End())

    async def _encode(self) -> None:
        times = self._report["encode"]
        while True:
            with times.starved():
                clip = await self._clip_frames.get()
            if isinstance(clip, _End):
                break
            encoded = await self._call(self._encoded(clip))
            with times.waiting():
                await self._results.put(encoded)
        await self._results.put(_End())

    async def _encoded(self, clip: ClipFrames) -> Clip:
        pts = np.array([moment.pts for moment in clip.moments], np.int64)
        with self._report["encode"].busy(len(pts)):
            data = await self._stages.encode(self._job, clip.frames, pts, self._facts.time_base)
        span = (clip.moments[0].seconds, clip.end_seconds)
        return Clip(clip.index, data, span, len(pts))

    async def _call(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Wait for a call of other models, which goes on if this task is cancelled."""
        future = asyncio.ensure_future(call)
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return await asyncio.shield(future)


async def caption_video(
    job: CaptionJob, stages: CaptionStages, limits: Limits
) -> AsyncGenerator[News, None]:
    """Yield the captions and clips of a video as they become certain, and progress between them.

    Closing the iterator early stops the work: no further calls are made.
    """
    report = Report()
    report["fetch"].busy_ms = job.fetch_ms
    with report["look"].busy(1):
        facts = await stages.look(job)
        region = await region_of(job, facts, stages, report["look"])
    yield News(facts, region, report, position_seconds=facts.start_seconds)
    pipeline = CaptionPipeline(job, facts, region, stages, report, limits)
    news = pipeline.news()
    try:
        async for part in news:
            yield part
    finally:
        with suppress(RuntimeError):
            await news.aclose()
