# SPDX-License-Identifier: Apache-2.0
"""From a region's frames to its captions, stretch by stretch."""

from collections.abc import Sequence
from dataclasses import dataclass

from trireel_backend.captioning.job import CaptionStages, VideoFacts
from trireel_backend.captioning.report import StageTimes
from trireel_backend.captions.assembly import Clock, Pending, assemble
from trireel_backend.captions.lines import ClosedLine, end_with_video
from trireel_backend.captions.merging import ReadText
from trireel_backend.captions.pair_change import ChangeState, after_sample
from trireel_backend.captions.stretch import NO_FRAMES, Moment, Stretch
from trireel_backend.captions.strokes import luma
from trireel_backend.captions.tracking import FoundText, Tracked, track

KEPT_SECONDS = 1.6
"""Time before a stretch in which first frames are looked for: longer than between two looks."""


@dataclass(frozen=True)
class ComparedStretch:
    """A stretch, and the samples in which text is to be looked for."""

    frames: Stretch
    """Frames of the stretch."""
    looks: tuple[int, ...]
    """Places in `frames.samples` of the samples to look at."""


class Comparing:
    """Compares neighbouring samples of a video."""

    def __init__(self) -> None:
        self._state = ChangeState()

    def compare(self, frames: Stretch) -> ComparedStretch:
        """Return the stretch with the samples in which text is to be looked for."""
        looks = []
        for place, index in enumerate(frames.samples):
            self._state, is_looked_at = after_sample(
                self._state, luma(frames.frames[index]), frames.moments[index].seconds
            )
            looks += [place] if is_looked_at else []
        return ComparedStretch(frames, tuple(looks))


class Reading:
    """Follows the lines of a video from stretch to stretch, and reads each once."""

    def __init__(
        self, stages: CaptionStages, facts: VideoFacts, sample_seconds: float, times: StageTimes
    ) -> None:
        self._stages = stages
        self._facts = facts
        self._sample_seconds = sample_seconds
        self._times = times
        self._kept = NO_FRAMES
        self._tracked = Tracked()
        self._pending = Pending()

    async def detect(self, compared: ComparedStretch) -> dict[int, FoundText]:
        """Return the text in the samples of a stretch that are looked at."""
        frames = compared.frames
        pictures = [frames.frames[frames.samples[place]] for place in compared.looks]
        found = await self._stages.detect(pictures, self._facts.size_px[1])
        return dict(zip(compared.looks, found, strict=True))

    def follow(self, frames: Stretch, found: dict[int, FoundText]) -> Sequence[ClosedLine]:
        """Follow the lines through a stretch; return those that have ended."""
        begin = len(self._kept.samples)
        both = self._kept.following(frames)
        self._tracked = track(
            self._tracked, both, begin, {begin + place: text for place, text in found.items()}
        )
        self._kept = _last_seconds(both)
        return self._tracked.closed

    def end(self) -> Sequence[ClosedLine]:
        """Return the lines that are on screen until the end of the video."""
        if not self._kept.moments:
            return ()
        end_seconds = self._facts.end_seconds
        last = self._kept.moments[-1]
        end = Moment(end_seconds, round(end_seconds / float(self._facts.time_base)))
        lines = self._tracked.open
        self._tracked = Tracked()
        return [end_with_video(line, last, end) for line in lines]

    async def captions(self, closed: Sequence[ClosedLine], *, is_last: bool) -> list[ReadText]:
        """Read lines that have ended, and return the captions that have become certain."""
        read = await self._stages.read(closed)
        self._times.count += len(read)
        now_seconds = self._kept.moments[-1].seconds if self._kept.moments else 0.0
        clock = Clock(self._facts.start_seconds, now_seconds, self._sample_seconds, is_last)
        self._pending, captions = assemble(self._pending, read, self._tracked.open, clock)
        return captions


def _last_seconds(frames: Stretch) -> Stretch:
    """Return the frames of the last `KEPT_SECONDS`."""
    if not frames.moments:
        return frames
    least_seconds = frames.moments[-1].seconds - KEPT_SECONDS
    begin = next(i for i, moment in enumerate(frames.moments) if moment.seconds >= least_seconds)
    return frames.from_frame(begin)
