# SPDX-License-Identifier: Apache-2.0
"""Answers of `frame_extractor`: the frames of some chunks, or only a probe of the video."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.limits import SECOND_VIEWS_BYTES
from trireel_backend.extraction.settings import SamplingSettings
from trireel_backend.extraction.task import Extracted, ExtractionTask, RunsTasks, SecondView
from trireel_backend.extraction.view import Crop, View
from trireel_backend.findings.finding import ViewSpec
from trireel_backend.models.sampling_inputs import FrameSelection, read_selection
from trireel_backend.plan import Chunk, Selection
from trireel_backend.wire.request import KEEP_OPEN, Request
from trireel_backend.wire.tensors import scalar, texts
from trireel_backend.wire.views import PackedView, pack_views
from trireel_schema.catalogue import VIEW_TENSORS

HIGHEST_USUAL_FPS = 240.0  # of cameras for slow motion
EVERY_FRAME_SIZE = "EVERY_FRAME_SIZE_PX"
REGION_VIEW = "region"
"""Name of the view of every frame, in VIEW_NAMES."""
PLAN_OUTPUTS = frozenset(("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS"))


def read_chunk_request(request: Request, sampling: SamplingSettings) -> FrameSelection:
    """Return the frames that a request selects; FRAMES_PER_CHUNK 0 only probes the video.

    Raises:
        InvalidInput: if an input has a value that is not allowed.
    """
    # Without frames, the next step of an ensemble would have no input.
    may_probe = (
        "FRAMES" not in request.requested_outputs or PLAN_OUTPUTS & request.requested_outputs
    )
    return read_selection(request, sampling, least=0 if may_probe else 1)


def frame_size_px(selection: FrameSelection, usual_px: int, most_frames: int) -> int:
    """Return the width and height of the frames that a request selects.

    Args:
        usual_px: width and height if the request does not choose them.
        most_frames: number of frames of that size that fit the memory.

    Raises:
        InvalidInput: if the frames do not fit the memory.
    """
    size_px = selection.size_px or usual_px
    per_chunk = selection.sampling.count(selection.chunk_seconds)
    count = max(1, len(selection.starts_seconds)) * per_chunk
    fitting = most_frames * usual_px**2 // size_px**2
    if count > fitting:
        raise InvalidInput(
            f"got {count} frames of SIZE_PX {size_px}: request at most {fitting} of this size"
        )
    return size_px


def extract_chunk(
    request: Request,
    selection: FrameSelection,
    views: Mapping[str, ViewSpec],
    video: AbstractContextManager[Path],
    size_px: int,
    extractor: RunsTasks,
) -> dict[str, NDArray[Any]]:
    """Answer a request for one chunk or more; with FRAMES_PER_CHUNK 0 nothing is decoded.

    Args:
        selection: result of `read_chunk_request` for the request.
        views: result of `second_views` for the request, by the name of the finding.
        video: yields the path of the video; the file exists for as long as the context.

    Raises:
        RequestError: if the video is unusable.
    """
    with video as path:
        task = ExtractionTask(
            path,
            selection.chunk_seconds,
            selection.sampling,
            View.square(size_px, selection.crop),
            starts_seconds=selection.starts_seconds,
            stream_index=selection.stream_index,
            # The file of an upload is deleted after its request.
            keep_open=request.array("VIDEO_DATA") is None and keeps_open(request),
            with_plan=bool(PLAN_OUTPUTS & request.requested_outputs),
            second_views=tuple(_second_view(spec, selection.crop) for spec in views.values()),
        )
        extracted = extractor.run(task, request.is_cancelled)
    answer = _tensors(extracted)
    if PLAN_OUTPUTS & request.requested_outputs:
        answer |= _plan_tensors(extracted.plan)
    if not request.requested_outputs.isdisjoint(VIEW_TENSORS):
        answer |= _view_tensors(extracted, views)
    return answer


def region_view(request: Request) -> dict[str, ViewSpec]:
    """Return the view of every frame that a request names by its size; raises InvalidInput."""
    size_px = request.array(EVERY_FRAME_SIZE)
    if size_px is None:
        return {}
    width, height = size_px.tolist()
    if min(width, height) < 1 or width * height * 3 > SECOND_VIEWS_BYTES:
        raise InvalidInput(
            f"{EVERY_FRAME_SIZE} is {width} x {height}: give sides of 1 or more, and at most"
            f" {SECOND_VIEWS_BYTES // 3} pixels"
        )
    most_frames = SECOND_VIEWS_BYTES // (width * height * 3)
    return {REGION_VIEW: ViewSpec(width, height, most_frames, selection=Selection.EVERY)}


def most_chunks(views: Mapping[str, ViewSpec], chunk_seconds: float) -> int:
    """Return of how many chunks the frames of second views fit into one request, at least 1."""
    chunk_bytes = 1
    for spec in views.values():
        fps = spec.fps if spec.selection == Selection.RATE else HIGHEST_USUAL_FPS
        frames = min(spec.max_frames, math.ceil(fps * chunk_seconds))
        chunk_bytes += frames * spec.width_px * spec.height_px * 3
    return max(1, SECOND_VIEWS_BYTES // chunk_bytes)


def _second_view(spec: ViewSpec, crop: Crop | None) -> SecondView:
    is_rough = spec.selection == Selection.CHANGES  # many frames are drawn only to be compared
    view = View(spec.width_px, spec.height_px, crop, is_rough, spec.keeps_aspect)
    return SecondView(view, spec.max_frames, spec.fps, spec.selection)


def keeps_open(request: Request) -> bool:
    """Return whether another request may continue at the end of this request's chunks."""
    return request.parameters.get(KEEP_OPEN) is not False


def _tensors(extracted: Extracted) -> dict[str, NDArray[Any]]:
    info, chunks, frames = extracted.info, extracted.chunks, extracted.frames
    return {
        "FRAMES": extracted.pixels,
        "TIMESTAMPS": np.concatenate([part.timestamps_seconds for part in frames]),
        "PTS": np.concatenate([part.pts for part in frames]),
        "TIME_BASE": np.array(frames[0].time_base.as_integer_ratio(), np.int64),
        "CHUNK_START_SECONDS": np.array([chunk.start_seconds for chunk in chunks]),
        "CHUNK_DURATION_SECONDS": np.array([chunk.duration_seconds for chunk in chunks]),
        "CHUNK_NUM_FRAMES": np.array([len(part.pts) for part in frames], np.int32),
        "CHUNK_DAMAGED_PACKETS": np.array([part.damaged_packets for part in frames], np.int32),
        "VIDEO_START_SECONDS": scalar(info.start_seconds, np.float64),
        "VIDEO_DURATION_SECONDS": scalar(info.duration_seconds, np.float64),
        "IS_COMPLETE": scalar(info.is_complete, np.bool_),
        "STREAM_INDEX": scalar(info.stream_index, np.int32),
        "VIDEO_STREAM_INDICES": np.array(info.video_stream_indices, np.int32),
        "DECODER": texts([extracted.decoder]),
        "FRAME_RATE": np.array(info.frame_rate.fps.as_integer_ratio(), np.int64),
        "IS_VFR": scalar(info.frame_rate.is_variable, np.bool_),
        "PICTURE_SIZE_PX": np.array(extracted.picture_size_px, np.int32),
        "EXTRACT_NS": np.array([extracted.began_ns, extracted.ended_ns], np.int64),
    }


def _view_tensors(extracted: Extracted, views: Mapping[str, ViewSpec]) -> dict[str, NDArray[Any]]:
    chunks = [
        [PackedView(frames.pixels, frames.timestamps_seconds, frames.shown) for frames in second]
        for second in extracted.second_frames
    ]
    return pack_views(
        list(views), [(spec.width_px, spec.height_px) for spec in views.values()], chunks
    )


def _plan_tensors(chunks: Sequence[Chunk]) -> dict[str, NDArray[Any]]:
    return {
        "PLAN_START_SECONDS": np.array([chunk.start_seconds for chunk in chunks]),
        "PLAN_DURATION_SECONDS": np.array([chunk.duration_seconds for chunk in chunks]),
    }
