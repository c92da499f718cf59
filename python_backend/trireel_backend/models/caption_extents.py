# SPDX-License-Identifier: Apache-2.0
"""Answers of `caption_extents`: the captions on screen of one whole video, as they end."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captioning.job import CaptionJob, CaptionStages, Clip, Region
from trireel_backend.captioning.pipeline import Limits, News, caption_video
from trireel_backend.captions.merging import ReadText
from trireel_backend.errors import Cancelled, InvalidInput
from trireel_backend.metrics.family import Metrics
from trireel_backend.metrics.refusals import REFUSALS
from trireel_backend.models.clip_encoder import read_clip_options
from trireel_backend.models.sampling_inputs import MAX_SAMPLE_FPS, read_crop
from trireel_backend.sources.media import is_remote, local_video_beside
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.sources.spool_metrics import SPOOL_FAMILIES
from trireel_backend.system.paths import path_text
from trireel_backend.whole_video.admission import Admission
from trireel_backend.whole_video.counting import (
    OPEN_VIDEOS,
    VIDEO_DURATION,
    VIDEOS,
    WAITING_LIMIT,
    WAITING_VIDEOS,
    video_counted,
)
from trireel_backend.whole_video.waiting_room import SlotLimits, Slots
from trireel_backend.wire.parameters import at_least_one, read_settings
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, scalar, texts

CAPTION_FAMILIES = (
    REFUSALS,
    VIDEOS,
    OPEN_VIDEOS,
    WAITING_VIDEOS,
    WAITING_LIMIT,
    VIDEO_DURATION,
    *SPOOL_FAMILIES,
)
CLIP_OPTIONS = ("CLIP_CODEC", "CLIP_DEADLINE", "CLIP_CPU_USED", "CLIP_CRF")
CLIP_SECONDS_RANGE = (0.5, 60.0)
CALLS_PER_VIDEO = 12
"""Most calls and comparisons of one video at once: looks and lines of one stretch."""


@dataclass(frozen=True)
class CaptionSettings:
    """Limits of the work that `caption_extents` keeps in flight."""

    videos_in_flight: int = 2
    """Most videos in flight in one instance."""
    clips_in_flight: int = 2
    """Most clips of one video in the encoder at once."""
    admission: str = ""
    """Folder through which a stopping launcher waits for videos; empty for no waiting."""
    max_waiting_videos: int = 16
    """Most videos that wait in one instance; the next video is rejected immediately."""
    max_waiting_upload_bytes: int = 2**29
    """Most bytes of waiting uploads in one instance: they are in shared memory."""

    def slots(self) -> SlotLimits:
        """Return the limits of videos; raises StartupError if one is not allowed."""
        at_least_one("videos_in_flight", self.videos_in_flight)
        at_least_one("clips_in_flight", self.clips_in_flight)
        return SlotLimits(
            self.videos_in_flight, self.max_waiting_videos, self.max_waiting_upload_bytes
        )


class CaptionExtents:
    """Answers requests for the captions of whole videos, a limited number of them at once."""

    def __init__(
        self, stages: CaptionStages, parameters: Mapping[str, str], metrics: Metrics
    ) -> None:
        """Read the model's parameters; raises StartupError if one is wrong."""
        settings = read_settings(CaptionSettings, parameters)
        self._stages, self._metrics = stages, metrics
        self._folders = read_settings(FolderSettings, parameters).folders()
        self._limits = Limits(settings.clips_in_flight)
        limits = settings.slots()
        self._slots = Slots(limits, waits=partial(metrics.add, WAITING_VIDEOS))
        metrics.set(WAITING_LIMIT, limits.waiting)
        folder = settings.admission
        self._in_flight = Admission(Path(folder)).video if folder else nullcontext
        self._fetchers, self._readers = (
            ThreadPoolExecutor(limits.in_flight, name) for name in ("fetch", "read")
        )
        self.calls_at_once = limits.in_flight * (CALLS_PER_VIDEO + settings.clips_in_flight)
        """Most calls of other models in flight."""

    async def answers(self, request: Request) -> AsyncGenerator[Tensors, None]:
        """Yield what became certain since the last answer, at least once a second or two."""
        with video_counted(self._metrics):
            job = read_job(request)  # rejects it before any wait or fetch
            upload_bytes = lambda: len(request.data("VIDEO_DATA") or b"")  # noqa: E731
            async with self._slots.slot(request.is_cancelled, upload_bytes):
                with self._in_flight():  # a stopping launcher waits for it
                    async with aclosing(self._news(request, job)) as news:
                        async for part in news:
                            if request.is_cancelled():
                                raise Cancelled("the client has gone away")
                            yield answer_of(part)

    async def _news(self, request: Request, job: CaptionJob) -> AsyncGenerator[News, None]:
        began = time.monotonic()
        reference, data = request.reference("VIDEO"), request.data("VIDEO_DATA")
        threads = self._fetchers if is_remote(self._folders, reference) else self._readers
        local = local_video_beside(threads, self._folders, reference, data, request.is_cancelled)
        async with local as path:
            fetch_ms = (time.monotonic() - began) * 1e3
            job = replace(job, video=path_text(path), fetch_ms=fetch_ms)
            async with aclosing(caption_video(job, self._stages, self._limits)) as news:
                async for part in news:
                    yield part


def read_job(request: Request) -> CaptionJob:
    """Read a request, whose video is not fetched yet; raises InvalidInput."""
    crop = read_crop(request)
    finds_region = bool(request.number("FIND_REGION", bool))
    if crop is not None and finds_region:
        raise InvalidInput("got FIND_REGION and a region: send one of FIND_REGION, CROP, CROP_PX")
    sample_fps = request.number("SAMPLE_FPS", float)
    if sample_fps is not None and not 0 <= sample_fps <= MAX_SAMPLE_FPS:  # also true for NaN
        raise InvalidInput(
            f"SAMPLE_FPS is {sample_fps:g}: give 0 for every frame, or up to {MAX_SAMPLE_FPS:g}"
        )
    clip_seconds = request.number("CLIP_SECONDS", float)
    least, most = CLIP_SECONDS_RANGE
    if clip_seconds is not None and not least <= clip_seconds <= most:
        raise InvalidInput(f"CLIP_SECONDS is {clip_seconds:g}: give {least:g} to {most:g}")
    read_clip_options(request)  # rejected now rather than with the first clip
    stream_index = request.array("STREAM_INDEX")
    job = CaptionJob(
        video="",
        stream={} if stream_index is None else {"STREAM_INDEX": stream_index.copy()},
        crop=crop,
        finds_region=finds_region,
        with_clips=bool(request.number("WITH_CLIPS", bool)),
        clip_options={
            name: array.copy()
            for name in CLIP_OPTIONS
            if (array := request.array(name)) is not None
        },
    )
    if sample_fps is not None:
        job = replace(job, sample_fps=sample_fps)
    return job if clip_seconds is None else replace(job, clip_seconds=clip_seconds)


def answer_of(news: News) -> dict[str, NDArray[Any]]:
    """Return news as tensors."""
    captions, region = news.captions, news.region
    return {
        **news.facts.tensors,
        **news.report.tensors(),
        **_caption_tensors(captions, region),
        **_clip_tensors(news.clips),
        "REGION": region.shares(),
        "POSITION_SECONDS": scalar(news.position_seconds, np.float64),
        "IS_AGGREGATE": scalar(news.is_last, np.bool_),
    }


def _caption_tensors(captions: Sequence[ReadText], region: Region) -> dict[str, NDArray[Any]]:
    count = len(captions)
    boxes = [region.box_shares(caption.box) for caption in captions]
    spans = [(caption.first.seconds, caption.end.seconds) for caption in captions]
    pts = [(caption.first.pts, caption.last.pts) for caption in captions]
    return {
        "TEXT_TEXTS": texts([caption.text for caption in captions]),
        "TEXT_CONFIDENCES": np.array([caption.confidence for caption in captions], np.float32),
        "TEXT_BOXES": np.array(boxes, np.float32).reshape(count, 4),
        "TEXT_SPANS": np.array(spans, np.float64).reshape(count, 2),
        "TEXT_LAST_SECONDS": np.array([caption.last.seconds for caption in captions], np.float64),
        "TEXT_PTS": np.array(pts, np.int64).reshape(count, 2),
    }


def _clip_tensors(clips: Sequence[Clip]) -> dict[str, NDArray[Any]]:
    files = np.empty(len(clips), np.object_)
    files[:] = [clip.data for clip in clips]
    spans = [clip.span_seconds for clip in clips]
    return {
        "CLIP_DATA": files,
        "CLIP_INDICES": np.array([clip.index for clip in clips], np.int32),
        "CLIP_SPANS": np.array(spans, np.float64).reshape(len(clips), 2),
        "CLIP_NUM_FRAMES": np.array([clip.frames for clip in clips], np.int32),
    }
