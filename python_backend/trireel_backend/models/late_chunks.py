# SPDX-License-Identifier: Apache-2.0
"""Chunks of videos that have to be fetched first.

An instance of `frame_extractor` works on one request at a time. A download takes long and needs no
decoder, so it runs beside `execute`, and the instance answers other requests meanwhile. When the
video has arrived, the model sends itself the request again, with the path in the spool. That
request waits in Triton's queue like all others, for the first free instance.
"""

from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trireel_backend.errors import StartupError
from trireel_backend.extraction.settings import SamplingSettings
from trireel_backend.extraction.task import RunsTasks
from trireel_backend.findings.finding import ServerModels
from trireel_backend.findings.registry import second_views
from trireel_backend.metrics.family import Metrics
from trireel_backend.metrics.refusals import refusals_counted
from trireel_backend.models.frame_extractor import (
    EVERY_FRAME_SIZE,
    extract_chunk,
    frame_size_px,
    keeps_open,
    read_chunk_request,
    region_view,
)
from trireel_backend.models.sampling_inputs import SAMPLING_INPUTS
from trireel_backend.sources.media import (
    is_remote,
    kept_video,
    local_video,
    local_video_beside,
)
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.whole_video.admission import Admission
from trireel_backend.whole_video.stages import CallModel
from trireel_backend.whole_video.waiting_room import SlotLimits, Slots
from trireel_backend.wire.parameters import at_least_one, read_settings
from trireel_backend.wire.request import KEEP_OPEN, Request
from trireel_backend.wire.tensors import Tensors, texts

MODEL = "frame_extractor"
CALLS_AT_ONCE = 4  # per instance: so few of its own requests overtake others in Triton's queue
COPIED_INPUTS = ("START_SECONDS", "CHUNK_SECONDS", "SIZE_PX", EVERY_FRAME_SIZE, *SAMPLING_INPUTS)


@dataclass(frozen=True)
class FetchSettings:
    """Limits of the fetches of videos for chunk requests, beside the extractor."""

    fetches_in_flight: int = 32
    """Most videos that one instance fetches at once."""
    max_waiting_fetches: int = 256
    """Most requests that wait in one instance for the fetch of their videos; the next request is
    rejected immediately."""
    admission: str = ""
    """Folder through which a stopping launcher waits for fetches; empty for no waiting."""

    def checked_limits(self) -> SlotLimits:
        """Return the limits of the fetches; raises StartupError if one is not allowed."""
        at_least_one("fetches_in_flight", self.fetches_in_flight)
        if self.max_waiting_fetches < 0:
            raise StartupError(f"max_waiting_fetches is {self.max_waiting_fetches}: give 0 or more")
        return SlotLimits(self.fetches_in_flight, self.max_waiting_fetches, waiting_bytes=0)


class ChunkAnswers:
    """Answers requests for chunks: now if the video is local, otherwise after its fetch."""

    def __init__(
        self,
        parameters: Mapping[str, str],
        size_px: int,
        extractor: RunsTasks,
        call_model: CallModel,
        metrics: Metrics,
        models: ServerModels,
    ) -> None:
        """Read the model's parameters.

        Args:
            size_px: width and height of the square frames.
            call_model: sends a request to a model of this server.
            models: facts about other models of this server.

        Raises:
            StartupError: if a parameter is missing or not allowed.
        """
        self._folders = read_settings(FolderSettings, parameters).folders()
        self._sampling = read_settings(SamplingSettings, parameters)
        self._size_px = size_px
        self._extractor = extractor
        self._call_model = call_model
        self._metrics = metrics
        self._models = models
        fetches = read_settings(FetchSettings, parameters)
        limits = fetches.checked_limits()
        self._slots = Slots(limits, noun="fetches of videos")
        self._fetchers = ThreadPoolExecutor(limits.in_flight, "fetch")
        folder = fetches.admission
        self._in_flight = Admission(Path(folder)).video if folder else nullcontext

    def answer(self, request: Request) -> Tensors | Coroutine[Any, Any, Tensors]:
        """Return a request's answer, or a coroutine that returns it after the video's fetch.

        Raises:
            RequestError: if the request or its video is unusable.
        """
        with refusals_counted(self._metrics):
            selection = read_chunk_request(request, self._sampling)
            most_frames = self._sampling.max_frames_per_chunk
            size_px = frame_size_px(selection, self._size_px, most_frames)
            # An unknown finding is rejected before any fetch.
            views = second_views(request, self._models, selection.chunk_seconds)
            views |= region_view(request)
            uri, data = request.reference("VIDEO"), request.data("VIDEO_DATA")
            if uri is not None and data is None and is_remote(self._folders, uri):
                video = kept_video(self._folders, uri)
                if video is None:
                    return self._later(request, uri, _call_inputs(request))
            else:
                video = local_video(self._folders, uri, data, stop=request.is_cancelled)
            return extract_chunk(request, selection, views, video, size_px, self._extractor)

    async def _later(self, request: Request, uri: str, inputs: Tensors) -> Tensors:
        """Fetch the video, then call this model again; that call counts its own rejections."""
        async with AsyncExitStack() as stack:
            with refusals_counted(self._metrics):
                async with self._slots.slot(request.is_cancelled):
                    stack.enter_context(self._in_flight())
                    fetch = local_video_beside(
                        self._fetchers, self._folders, uri, None, request.is_cancelled
                    )
                    path = await stack.enter_async_context(fetch)
            return await self._call_model(
                MODEL,
                {**inputs, "VIDEO": texts([str(path)])},
                sorted(request.requested_outputs),
                parameters={KEEP_OPEN: keeps_open(request)},
            )


def _call_inputs(request: Request) -> Tensors:
    """Return copies of the request's inputs: Triton frees their memory when `execute` returns."""
    arrays = {name: request.array(name) for name in COPIED_INPUTS}
    return {name: np.array(array) for name, array in arrays.items() if array is not None}
