# SPDX-License-Identifier: Apache-2.0
"""The pipeline of captions over stages that answer in-process with drawn frames."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from support.captions import BOX, FPS, SIZE_PX, lettered, moving_background

from trireel_backend.captioning import extracting
from trireel_backend.captioning.calls import read_text
from trireel_backend.captioning.job import CaptionJob, RegionFrames, VideoFacts
from trireel_backend.captioning.pipeline import Limits, caption_video
from trireel_backend.captions.tracking import FoundText
from trireel_backend.errors import InvalidInput, StageFailed
from trireel_backend.reading.codes import ReadLine

JOB = CaptionJob("video")
SECONDS = 9
SHOWN = {"Hello there": (20, 75), "Good evening": (76, 130), "See you soon": (160, 240)}


def text_at(frame: int) -> str:
    return next((text for text, (a, b) in SHOWN.items() if a <= frame < b), "")


@cache
def drawn(frame: int):
    return lettered(moving_background(frame), text_at(frame), float(bool(text_at(frame))))


@dataclass
class DrawnStages:
    """A drawn video: the extractor draws, and the readers know what was drawn."""

    most_frames: int = 10_000
    """Frames of one extraction; more are rejected."""
    fails: str = ""
    """Name of the stage that fails."""
    extracted: list[tuple[float, float]] = field(default_factory=list)
    in_flight: int = 0

    async def look(self, job):
        return VideoFacts({}, 0.0, float(SECONDS), float(FPS), SIZE_PX, Fraction(1, FPS))

    async def extract(self, job, region, start_seconds, seconds, **_):
        self._fail("extract")
        pts = np.arange(SECONDS * FPS)
        inside = (pts / FPS >= start_seconds - 1e-6) & (pts / FPS < start_seconds + seconds - 1e-6)
        pts = pts[inside]
        if len(pts) > self.most_frames:
            raise InvalidInput("a chunk has more frames")
        self.extracted.append((start_seconds, seconds))
        self.in_flight += 1
        await asyncio.sleep(0)
        self.in_flight -= 1
        pixels = [drawn(i) for i in pts.tolist()]
        return RegionFrames(np.array(pixels).reshape(len(pts), *SIZE_PX[::-1], 3), pts)

    async def detect(self, frames, picture_height_px):
        self._fail("detect")
        white = [(frame[35:60] == 255).all(axis=-1).sum() > 50 for frame in frames]
        return [
            FoundText(BOX[None], np.ones(1, np.float32))
            if has_text
            else FoundText(BOX[None][:0], np.ones(0, np.float32))
            for has_text in white
        ]

    async def read(self, lines):
        self._fail("read")
        return [
            read_text(line, ReadLine(text_at((line.first.pts + line.last.pts) // 2), 0.99))
            for line in lines
        ]

    async def encode(self, job, frames, pts, base):
        self._fail("encode")
        await asyncio.sleep(0.01)
        return b"clip of %d" % len(frames)

    def _fail(self, name):
        if name == self.fails:
            raise StageFailed(f"{name} failed")


async def all_news(stages, job=JOB, clips=2):
    async with aclosing(caption_video(job, stages, Limits(clips))) as news:
        return [part async for part in news]


def captions(news):
    return [
        (caption.text, caption.first.pts, caption.end.pts)
        for part in news
        for caption in part.captions
    ]


@pytest.fixture(scope="module")
def whole():
    """The news of the drawn video with clips, and the stages that made them."""
    stages = DrawnStages()
    job = CaptionJob("video", with_clips=True, clip_seconds=2.5)
    return asyncio.run(all_news(stages, job)), stages


def test_captions_are_exact_to_the_frame(whole):
    assert captions(whole[0]) == [(text, *span) for text, span in SHOWN.items()]


def test_captions_come_before_the_end(whole):
    assert [bool(part.captions) for part in whole[0]].index(True) < len(whole[0]) - 1
    assert [part.is_last for part in whole[0]] == [False] * (len(whole[0]) - 1) + [True]


def test_clips_hold_each_sample_once(whole):
    clips = sorted((c for part in whole[0] for c in part.clips), key=lambda clip: clip.index)
    assert [clip.index for clip in clips] == [0, 1, 2, 3]
    assert sum(clip.frames for clip in clips) == SECONDS * 10
    assert [clip.span_seconds for clip in clips] == [(0, 2.5), (2.5, 5), (5, 7.5), (7.5, 9)]


def test_every_frame_is_extracted_once_and_in_order(whole):
    starts = [start for start, _ in whole[1].extracted]
    assert starts == sorted(set(starts))
    assert sum(seconds for _, seconds in whole[1].extracted) == pytest.approx(SECONDS)


def test_the_report_counts_what_each_stage_did(whole):
    tensors = whole[0][-1].report.tensors()
    counts = dict(zip(tensors["STAGES"].tolist(), tensors["STAGE_COUNTS"].tolist(), strict=True))
    assert counts[b"extract"] == SECONDS * FPS
    assert counts[b"compare"] == counts[b"encode"] == SECONDS * 10
    assert counts[b"total"] == len(SHOWN)
    assert counts[b"read"] >= len(SHOWN)


def test_a_stretch_with_too_many_frames_is_divided():
    stages = DrawnStages(most_frames=17)
    news = asyncio.run(all_news(stages))
    assert captions(news) == [(text, *span) for text, span in SHOWN.items()]
    assert max(seconds for _, seconds in stages.extracted) < extracting.STRETCH_SECONDS


def test_every_frame_may_be_a_sample():
    news = asyncio.run(all_news(DrawnStages(), CaptionJob("video", sample_fps=0.0)))
    assert captions(news) == [(text, *span) for text, span in SHOWN.items()]


@pytest.mark.parametrize("stage", ["extract", "detect", "read", "encode"])
def test_a_stage_that_fails_ends_the_video_with_its_error(stage):
    job = CaptionJob("video", with_clips=True, clip_seconds=2.0)
    with pytest.raises(StageFailed, match=f"{stage} failed"):
        asyncio.run(all_news(DrawnStages(fails=stage), job))


def test_a_client_that_goes_away_stops_the_work(monkeypatch):
    monkeypatch.setattr(extracting, "STRETCH_SECONDS", 0.5)
    stages = DrawnStages()

    async def first_news():
        async with aclosing(caption_video(CaptionJob("video"), stages, Limits())) as news:
            async for part in news:
                if part.captions:
                    break
        assert stages.in_flight == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(first_news())
    assert stages.extracted[-1][0] < SECONDS - 1


def test_a_reader_that_is_slow_holds_the_extractor_back(monkeypatch):
    monkeypatch.setattr(extracting, "STRETCH_SECONDS", 0.5)
    ahead = []

    class SlowReader(DrawnStages):
        async def detect(self, frames, picture_height_px):
            await asyncio.sleep(0.1)
            ahead.append(len(self.extracted) - len(ahead))
            return await super().detect(frames, picture_height_px)

    asyncio.run(all_news(SlowReader()))
    # One stretch in each of the three stages, and one in each of the two queues.
    assert max(ahead) <= 5
