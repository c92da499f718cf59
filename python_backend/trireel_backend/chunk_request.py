# SPDX-License-Identifier: Apache-2.0
"""What `frame_extractor` answers: a chunk's frames, or only a look at the video."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction import SamplerCache, VideoInfo, VideoSampler
from trireel_backend.media import MediaFolders, local_video
from trireel_backend.plan import Chunk, plan_chunks
from trireel_backend.requests import Request
from trireel_backend.settings import SamplingSettings
from trireel_backend.tensors import scalar

PLAN_OUTPUTS = frozenset(("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS"))


def extract_chunk(
    request: Request,
    folders: MediaFolders,
    sampling: SamplingSettings,
    size_px: int,
    samplers: SamplerCache,
) -> dict[str, NDArray[Any]]:
    """Answer a request for one chunk; with FRAMES_PER_CHUNK 0 nothing is decoded.

    Raises:
        RequestError: the request or its video is not usable.
    """
    chunk_seconds = sampling.checked_chunk_seconds(request.number("CHUNK_SECONDS", float))
    num_frames = sampling.checked_frames_per_chunk(request.number("FRAMES_PER_CHUNK", int), least=0)
    start_seconds = request.number("START_SECONDS", float)
    reference, data = request.text("VIDEO"), request.data("VIDEO_DATA")
    with local_video(folders, reference, data) as path:
        began_ns = time.monotonic_ns()
        try:
            sampler = samplers.sampler(path)
            chunk = _chunk(sampler.info, start_seconds, chunk_seconds)
            frames = _frame_tensors(sampler, chunk, num_frames, size_px)
        except Exception:
            samplers.forget(path)  # whatever state it was left in
            raise
        finally:
            if data is not None:
                samplers.forget(path)  # the file goes with its request
        ended_ns = time.monotonic_ns()
    info = sampler.info
    answer = {
        **frames,
        "CHUNK_START_SECONDS": scalar(chunk.start_seconds, np.float64),
        "CHUNK_DURATION_SECONDS": scalar(chunk.duration_seconds, np.float64),
        "VIDEO_DURATION_SECONDS": scalar(info.duration_seconds, np.float64),
        "IS_COMPLETE": scalar(info.is_complete, np.bool_),
        "EXTRACT_NS": np.array([began_ns, ended_ns], np.int64),
    }
    if PLAN_OUTPUTS & request.requested_outputs:
        answer |= _plan_tensors(info, chunk_seconds)
    return answer


def _chunk(info: VideoInfo, start_seconds: float | None, chunk_seconds: float) -> Chunk:
    """Return the chunk asked for, cut where the video ends."""
    start = info.start_seconds if start_seconds is None else start_seconds
    end_seconds = info.start_seconds + info.duration_seconds
    if not info.start_seconds <= start < end_seconds:  # also true for NaN
        raise InvalidInput(
            f"START_SECONDS is {start:g}: the video begins at {info.start_seconds:g} s and ends"
            f" at {end_seconds:g} s"
        )
    return Chunk(0, start, min(chunk_seconds, end_seconds - start))


def _frame_tensors(
    sampler: VideoSampler, chunk: Chunk, num_frames: int, size_px: int
) -> dict[str, NDArray[Any]]:
    if num_frames == 0:
        pixels = np.zeros((0, size_px, size_px, 3), np.uint8)
        return {"FRAMES": pixels, "TIMESTAMPS": np.zeros(0)}
    frames = sampler.sample(chunk, num_frames, size_px)
    return {"FRAMES": frames.pixels, "TIMESTAMPS": frames.timestamps_seconds}


def _plan_tensors(info: VideoInfo, chunk_seconds: float) -> dict[str, NDArray[Any]]:
    chunks = plan_chunks(info.start_seconds, info.duration_seconds, chunk_seconds)
    return {
        "PLAN_START_SECONDS": np.array([chunk.start_seconds for chunk in chunks]),
        "PLAN_DURATION_SECONDS": np.array([chunk.duration_seconds for chunk in chunks]),
    }
