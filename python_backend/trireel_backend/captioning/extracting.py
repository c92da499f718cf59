# SPDX-License-Identifier: Apache-2.0
"""Every frame of a region, in stretches of a second or two, from one decoding pass."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trireel_backend.captioning.job import (
    CaptionJob,
    CaptionStages,
    Region,
    RegionFrames,
    VideoFacts,
)
from trireel_backend.captions.stretch import Moment, Stretch, moments, sampled
from trireel_backend.errors import InvalidInput

STRETCH_SECONDS = 2.0
STRETCH_BYTES = 24 * 2**20
"""Bytes of the frames of one stretch, which is shorter if the region is large."""
SHORTEST_SECONDS = 0.1
"""Length of a stretch that is not divided further."""


@dataclass(frozen=True)
class Span:
    """A stretch of video."""

    start_seconds: float
    """PTS at which it begins."""
    seconds: float
    """Its length."""
    is_last: bool
    """True if no other stretch follows."""


class RegionSource:
    """The frames of the region of one video."""

    def __init__(
        self, job: CaptionJob, facts: VideoFacts, region: Region, stages: CaptionStages
    ) -> None:
        self._job, self._facts, self._region, self._stages = job, facts, region, stages
        self._last: Moment | None = None

    def spans(self) -> Iterator[Span]:
        """Yield all stretches of the video in order."""
        frame_seconds = 1 / self._facts.usual_fps
        fitting = STRETCH_BYTES // self._region.frame_bytes
        seconds = max(frame_seconds, min(STRETCH_SECONDS, fitting * frame_seconds))
        count = max(1, math.ceil(self._facts.duration_seconds / seconds - 1e-6))
        for step in range(count):
            at_seconds = self._facts.start_seconds + step * seconds
            rest_seconds = self._facts.end_seconds - at_seconds
            yield Span(at_seconds, min(seconds, rest_seconds), step + 1 == count)

    async def frames(self, span: Span) -> list[RegionFrames]:
        """Return the frames of a stretch, in parts if it has more than its frame rate promises."""
        try:
            extracted = await self._stages.extract(
                self._job,
                self._region,
                span.start_seconds,
                span.seconds,
                keep_open=not span.is_last,
            )
        except InvalidInput:
            if span.seconds < SHORTEST_SECONDS:
                raise
        else:
            return [extracted]
        half = span.seconds / 2
        first = Span(span.start_seconds, half, is_last=False)
        second = Span(span.start_seconds + half, half, span.is_last)
        return [*await self.frames(first), *await self.frames(second)]

    def stretch(self, parts: Sequence[RegionFrames]) -> Stretch:
        """Return the frames that follow the last stretch, and which of them are samples."""
        last, base = self._last, self._facts.time_base
        frames = [
            (picture, moment)
            for part in parts
            for picture, moment in zip(part.pixels, moments(part.pts, base), strict=True)
            if last is None or moment.pts > last.pts
        ]
        times = [moment for _, moment in frames]
        chosen = sampled(
            [moment.seconds for moment in times],
            self._facts.start_seconds,
            self._job.sample_fps,
            None if last is None else last.seconds,
        )
        if times:
            self._last = times[-1]
        return Stretch([picture for picture, _ in frames], times, list(chosen))
