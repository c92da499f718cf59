# SPDX-License-Identifier: Apache-2.0
"""What `video_analysis` and `video_analysis_stream` share: from a request to its answers."""

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

from trireel_backend.errors import Cancelled, StartupError
from trireel_backend.extraction.settings import SamplingSettings
from trireel_backend.findings.registry import FINDINGS, check_options
from trireel_backend.metrics.family import Metrics
from trireel_backend.models.sampling_inputs import SAMPLING_INPUTS, wanted_frames
from trireel_backend.sources.media import MediaFolders, is_remote, local_video_beside
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.sources.spool_metrics import SPOOL_FAMILIES, measure_spool
from trireel_backend.system.paths import path_text
from trireel_backend.whole_video.admission import Admission
from trireel_backend.whole_video.analysis import analyze_video
from trireel_backend.whole_video.counting import (
    WAITING_LIMIT,
    WAITING_VIDEOS,
    WHOLE_VIDEO_FAMILIES,
    count_stages,
    video_counted,
)
from trireel_backend.whole_video.pipeline import AnalysisRequest, Stages
from trireel_backend.whole_video.waiting_room import PlaceLimits, Places
from trireel_backend.wire.parameters import at_least_one, read_settings
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import scalar
from trireel_schema import catalogue

Answer = dict[str, NDArray[Any]]

FREE_TAGS = ("TAGS", "TAG_EMBEDDINGS")
DECODER_INPUTS = (
    "FIND",
    *(
        name
        for finding in catalogue.FINDINGS.values()
        for name in finding.inputs
        if name not in FREE_TAGS
    ),
)
"""Inputs that go to the temporal decoder as they are; free tags are embedded first."""
STREAM_FAMILIES = (*WHOLE_VIDEO_FAMILIES, *SPOOL_FAMILIES)


@dataclass(frozen=True)
class OrchestratorSettings:
    """How much the orchestrator keeps under way."""

    spans_in_flight: int
    """Spans of one video's chunks in the encoder at once."""
    videos_in_flight: int = 1
    """Whole videos under way in one instance at once."""
    admission: str = ""
    """Folder by which the launcher waits for videos under way before it stops; empty for none."""
    max_waiting_videos: int = 0
    """That wait for their turn in one instance; what comes beyond them is refused at once."""
    max_waiting_upload_bytes: int = 2**29
    """Of all uploads that wait for their turn in one instance: they lie in shared memory."""
    trace_steps: bool = False
    """For the steps of a whole video in its trace: an instance then has one at a time."""

    def checked_spans(self) -> int:
        """Return how many spans of a video go side by side; raises StartupError."""
        return at_least_one("spans_in_flight", self.spans_in_flight)

    def checked_limits(self) -> PlaceLimits:
        """Return how many videos the model takes in; raises StartupError."""
        limits = PlaceLimits(
            under_way=self.videos_in_flight,
            waiting=self.max_waiting_videos,
            waiting_bytes=self.max_waiting_upload_bytes,
        )
        if limits.under_way < 1 or min(limits.waiting, limits.waiting_bytes) < 0:
            raise StartupError(f"got {limits}: give under_way 1 or more, and the others 0 or more")
        return limits


class WholeVideo:
    """Answers requests for whole videos, a bounded number of them at once."""

    def __init__(
        self,
        stages: Stages,
        folders: MediaFolders,
        sampling: SamplingSettings,
        orchestrator: OrchestratorSettings,
        metrics: Metrics,
    ) -> None:
        self._stages = stages
        self._metrics = metrics
        self._folders = folders
        self._sampling = sampling
        self._spans_in_flight = orchestrator.checked_spans()
        self.trace_steps = orchestrator.trace_steps
        """Whether calls of other models carry the request's trace."""
        self.calls_at_once = orchestrator.videos_in_flight * (self._spans_in_flight + 1)
        """Most calls of other models: each video's spans, and the decoder."""
        limits = orchestrator.checked_limits()
        self._places = Places(limits, waits=partial(metrics.add, WAITING_VIDEOS))
        metrics.set(WAITING_LIMIT, limits.waiting)
        folder = orchestrator.admission
        self._under_way = Admission(Path(folder)).video if folder else nullcontext
        # One a video: a slow source keeps no other video waiting. Apart, since a fetch that was
        # given up may keep its thread for a while: it is not to keep videos waiting that are here.
        self._fetchers, self._readers = (
            ThreadPoolExecutor(orchestrator.videos_in_flight, name) for name in ("fetch", "read")
        )

    @classmethod
    def from_parameters(
        cls, stages: Stages, parameters: Mapping[str, str], metrics: Metrics
    ) -> "WholeVideo":
        """Read the model's parameters; raises StartupError where one is wrong."""
        return cls(
            stages,
            read_settings(FolderSettings, parameters).folders(),
            read_settings(SamplingSettings, parameters),
            read_settings(OrchestratorSettings, parameters),
            metrics,
        )

    async def answers(self, request: Request) -> AsyncGenerator[Answer, None]:
        """Yield the answer of each chunk, then that of the whole video."""
        with video_counted(self._metrics):
            async with self._places.place(request.is_cancelled, partial(_upload_bytes, request)):
                with self._under_way():  # which a stop waits for
                    async with aclosing(self._answers(request)) as answers:
                        async for answer in answers:
                            yield answer
            count_stages(self._metrics, answer["TIMING_STAGES"], answer["TIMING_MS"])

    def measure_spool(self) -> None:
        """Say in the metrics how much the spool holds."""
        folders = self._folders
        measure_spool(
            self._metrics, folders.spool, folders.remote.spool_bytes, folders.limits.spool_max_bytes
        )

    async def _answers(self, request: Request) -> AsyncGenerator[Answer, None]:
        if request.is_cancelled():  # while it waited
            raise Cancelled("the client has gone away")
        wanted = self._wanted(request)  # refused before anything is fetched
        began = time.monotonic()
        reference, data = request.reference("VIDEO"), request.data("VIDEO_DATA")
        threads = self._fetchers if is_remote(self._folders, reference) else self._readers
        local = local_video_beside(threads, self._folders, reference, data, request.is_cancelled)
        async with local as path:
            fetch_ms = (time.monotonic() - began) * 1e3
            analysis = analyze_video(
                replace(wanted, video=path_text(path), fetch_ms=fetch_ms),
                self._stages,
                window=self._spans_in_flight,
            )
            async with aclosing(analysis):
                async for answer in analysis:
                    yield answer

    def _wanted(self, request: Request) -> AnalysisRequest:
        """Return what a request asks of its video, which has yet to be had; raises InvalidInput."""
        names = check_options(_without_free_tags(request))
        frames = wanted_frames(request, self._sampling)
        count = frames.sampling.count(frames.chunk_seconds)
        sampling = _given(request, SAMPLING_INPUTS)
        if frames.sampling.fps is None:  # which the extractor may be configured otherwise for
            sampling["FRAMES_PER_CHUNK"] = scalar(count, np.int32)
        return AnalysisRequest(
            video="",
            chunk_seconds=frames.chunk_seconds,
            most_chunks=max(1, self._sampling.max_frames_per_chunk // count),
            sampling=sampling,
            options=_given(request, DECODER_INPUTS),
            tags=request.texts("TAGS") or (),
            with_embeddings=bool(request.number("WITH_EMBEDDINGS", bool)),
            with_second_views=any(FINDINGS[name].view is not None for name in names),
        )


def _upload_bytes(request: Request) -> int:
    return len(request.data("VIDEO_DATA") or b"")


def _without_free_tags(request: Request) -> Request:
    """Return the request as the findings see it before its tags are embedded."""
    return replace(request, array=lambda name: None if name in FREE_TAGS else request.array(name))


def _given(request: Request, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    inputs = {name: request.array(name) for name in names}
    return {name: array for name, array in inputs.items() if array is not None}
