# SPDX-License-Identifier: Apache-2.0
"""Answers of `video_analysis` and `video_analysis_stream`: from a request to its answers."""

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
from trireel_backend.findings.finding import ServerModels
from trireel_backend.findings.registry import check_options, second_views
from trireel_backend.metrics.family import Metrics
from trireel_backend.models.frame_extractor import most_chunks
from trireel_backend.models.sampling_inputs import SAMPLING_INPUTS, read_selection
from trireel_backend.sources.media import MediaFolders, is_remote, local_video_beside
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.sources.spool_metrics import SPOOL_FAMILIES, measure_spool
from trireel_backend.system.paths import path_text
from trireel_backend.whole_video.admission import Admission
from trireel_backend.whole_video.analysis import analyze_video
from trireel_backend.whole_video.budget import CostLimits
from trireel_backend.whole_video.counting import (
    WAITING_LIMIT,
    WAITING_VIDEOS,
    WHOLE_VIDEO_FAMILIES,
    count_stages,
    video_counted,
)
from trireel_backend.whole_video.pipeline import AnalysisRequest, Stages
from trireel_backend.whole_video.waiting_room import SlotLimits, Slots
from trireel_backend.wire.parameters import at_least_one, read_settings
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import scalar, texts
from trireel_schema import catalogue

Answer = dict[str, NDArray[Any]]

FREE_TEXTS = (*catalogue.FREE_TEXTS, *catalogue.FREE_TEXTS.values())
DECODER_INPUTS = (
    "FIND",
    *(
        name
        for finding in catalogue.FINDINGS.values()
        for name in finding.inputs
        if name not in FREE_TEXTS
    ),
)
"""Inputs passed unchanged to the temporal decoder; free texts are embedded first."""
STREAM_FAMILIES = (*WHOLE_VIDEO_FAMILIES, *SPOOL_FAMILIES)


@dataclass(frozen=True)
class OrchestratorSettings:
    """Limits of the work that the orchestrator keeps in flight."""

    spans_in_flight: int
    """Most spans of one video's chunks in the encoder at once."""
    videos_in_flight: int = 1
    """Most whole videos in flight in one instance."""
    admission: str = ""
    """Folder through which a stopping launcher waits for videos; empty for no waiting."""
    max_waiting_videos: int = 0
    """Most whole videos that wait in one instance; the next video is rejected immediately."""
    max_waiting_upload_bytes: int = 2**29
    """Most bytes of waiting uploads in one instance: they are in shared memory."""
    checkpoint: str = ""
    """Name of the checkpoint; the launcher sets it."""
    checkpoint_note: str = ""
    """What people should know of the checkpoint; the launcher sets it."""
    trace_steps: bool = False
    """Include the steps of a whole video in its trace; an instance then analyses one video at a
    time."""

    def checked_spans(self) -> int:
        """Return the most spans of a video in flight; raises StartupError if below 1."""
        return at_least_one("spans_in_flight", self.spans_in_flight)

    def checked_limits(self) -> SlotLimits:
        """Return the limits of whole videos; raises StartupError if one is not allowed."""
        limits = SlotLimits(
            in_flight=self.videos_in_flight,
            waiting=self.max_waiting_videos,
            waiting_bytes=self.max_waiting_upload_bytes,
        )
        if limits.in_flight < 1 or min(limits.waiting, limits.waiting_bytes) < 0:
            raise StartupError(f"got {limits}: give in_flight 1 or more, and the others 0 or more")
        return limits


class WholeVideo:
    """Answers requests for whole videos, a limited number of them at once."""

    def __init__(
        self,
        stages: Stages,
        folders: MediaFolders,
        sampling: SamplingSettings,
        orchestrator: OrchestratorSettings,
        limits: CostLimits,
        metrics: Metrics,
        models: ServerModels,
    ) -> None:
        self._stages = stages
        self._metrics = metrics
        self._models = models
        self._folders = folders
        self._sampling = sampling
        self._limits = limits
        self._spans_in_flight = orchestrator.checked_spans()
        self._checkpoint = {
            "CHECKPOINT": texts([orchestrator.checkpoint]),
            "CHECKPOINT_NOTE": texts([orchestrator.checkpoint_note]),
        }
        self.trace_steps = orchestrator.trace_steps
        """Whether calls of other models carry the request's trace."""
        self.calls_at_once = orchestrator.videos_in_flight * (self._spans_in_flight + 1)
        """Most calls of other models in flight: the spans and the decoder call of each video."""
        slots = orchestrator.checked_limits()
        self._slots = Slots(slots, waits=partial(metrics.add, WAITING_VIDEOS))
        metrics.set(WAITING_LIMIT, slots.waiting)
        folder = orchestrator.admission
        self._in_flight = Admission(Path(folder)).video if folder else nullcontext
        # One thread per video, so that a slow source delays no other video. Two pools, because an
        # abandoned fetch may hold its thread for a while and must not delay local videos.
        self._fetchers, self._readers = (
            ThreadPoolExecutor(orchestrator.videos_in_flight, name) for name in ("fetch", "read")
        )

    @classmethod
    def from_parameters(
        cls,
        stages: Stages,
        parameters: Mapping[str, str],
        metrics: Metrics,
        models: ServerModels,
    ) -> "WholeVideo":
        """Read the model's parameters; raises StartupError if one is wrong."""
        return cls(
            stages,
            read_settings(FolderSettings, parameters).folders(),
            read_settings(SamplingSettings, parameters),
            read_settings(OrchestratorSettings, parameters),
            read_settings(CostLimits, parameters),
            metrics,
            models,
        )

    async def answers(self, request: Request) -> AsyncGenerator[Answer, None]:
        """Yield the answer of each chunk, then that of the whole video."""
        with video_counted(self._metrics):
            async with self._slots.slot(request.is_cancelled, partial(_upload_bytes, request)):
                with self._in_flight():  # a stopping launcher waits for it
                    async with aclosing(self._answers(request)) as answers:
                        async for answer in answers:
                            yield {**answer, **self._checkpoint}
            count_stages(self._metrics, answer["TIMING_STAGES"], answer["TIMING_MS"])

    def measure_spool(self) -> None:
        """Set the metrics of the spool's size."""
        folders = self._folders
        measure_spool(
            self._metrics, folders.spool, folders.remote.spool_bytes, folders.limits.spool_max_bytes
        )

    async def _answers(self, request: Request) -> AsyncGenerator[Answer, None]:
        if request.is_cancelled():  # while the request waited
            raise Cancelled("the client has gone away")
        analysis_request = self._analysis_request(request)  # rejects it before any fetch
        began = time.monotonic()
        reference, data = request.reference("VIDEO"), request.data("VIDEO_DATA")
        threads = self._fetchers if is_remote(self._folders, reference) else self._readers
        local = local_video_beside(threads, self._folders, reference, data, request.is_cancelled)
        async with local as path:
            fetch_ms = (time.monotonic() - began) * 1e3
            analysis = analyze_video(
                replace(analysis_request, video=path_text(path), fetch_ms=fetch_ms),
                self._stages,
                window=self._spans_in_flight,
            )
            async with aclosing(analysis):
                async for answer in analysis:
                    yield answer

    def _analysis_request(self, request: Request) -> AnalysisRequest:
        """Read a request, whose video is not fetched yet; raises InvalidInput."""
        options = _without_free_texts(request)
        check_options(options)
        frames = read_selection(request, self._sampling)
        views = second_views(options, self._models, frames.chunk_seconds)
        count = frames.sampling.count(frames.chunk_seconds)
        sampling = _inputs(request, SAMPLING_INPUTS)
        if frames.sampling.fps is None:  # the extractor's default may differ
            sampling["FRAMES_PER_CHUNK"] = scalar(count, np.int32)
        return AnalysisRequest(
            video="",
            chunk_seconds=frames.chunk_seconds,
            frames_per_chunk=count,
            limits=self._limits,
            most_chunks=min(
                max(1, self._sampling.max_frames_per_chunk // count),
                most_chunks(views, frames.chunk_seconds),
            ),
            sampling=sampling,
            options=_inputs(request, DECODER_INPUTS),
            free_texts={
                name: values
                for name in catalogue.FREE_TEXTS
                if (values := request.texts(name)) is not None
            },
            with_embeddings=bool(request.number("WITH_EMBEDDINGS", bool)),
            with_second_views=bool(views),
        )


def _upload_bytes(request: Request) -> int:
    return len(request.data("VIDEO_DATA") or b"")


def _without_free_texts(request: Request) -> Request:
    """Return the request without its free texts, which are not embedded yet."""
    return replace(request, array=lambda name: None if name in FREE_TEXTS else request.array(name))


def _inputs(request: Request, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the inputs of some names that the request has."""
    inputs = {name: request.array(name) for name in names}
    return {name: array for name, array in inputs.items() if array is not None}
