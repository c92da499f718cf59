# SPDX-License-Identifier: Apache-2.0
"""The frames and the crop that a request selects, within the operator's limits."""

import math
from dataclasses import dataclass

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.settings import SamplingSettings
from trireel_backend.extraction.view import Crop
from trireel_backend.plan import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS, Sampling
from trireel_backend.wire.request import Request
from trireel_schema.catalogue import VIEW_INPUTS

SAMPLING_INPUTS = (
    "FRAMES_PER_CHUNK",
    "SAMPLE_FPS",
    "KEYFRAMES_ONLY",
    "CROP",
    "CROP_PX",
    "STREAM_INDEX",
    *VIEW_INPUTS,
)
"""Inputs that select frames, beside CHUNK_SECONDS; the same for every chunk of a video."""
MAX_SAMPLE_FPS = 1000.0
MIN_SIZE_PX, MAX_SIZE_PX = 16, 1024


@dataclass(frozen=True)
class FrameSelection:
    """The chunks of a request, and the frames to sample from each."""

    chunk_seconds: float
    """Length of a chunk in seconds."""
    starts_seconds: tuple[float, ...]
    """Starts of the chunks; empty for one chunk from the video's first frame."""
    sampling: Sampling
    """Number or rate of the frames in a chunk."""
    crop: Crop | None
    """Region of the upright picture, None for the whole picture."""
    stream_index: int | None
    """Index of the video stream, None for the file's default."""
    size_px: int | None
    """Width and height of the frames, None for those of the checkpoint."""


def read_selection(
    request: Request, settings: SamplingSettings, *, least: int = 1
) -> FrameSelection:
    """Read the selection of frames from a request; raises InvalidInput.

    Args:
        least: smallest allowed FRAMES_PER_CHUNK; 0 if a request may only probe the video.
    """
    chunk_seconds = _chunk_seconds(request, settings)
    sampling = _sampling(request, settings, chunk_seconds, least)
    return FrameSelection(
        chunk_seconds,
        _starts_seconds(request, settings, sampling.count(chunk_seconds)),
        sampling,
        read_crop(request),
        request.number("STREAM_INDEX", int),
        _size_px(request),
    )


def _chunk_seconds(request: Request, settings: SamplingSettings) -> float:
    requested = request.number("CHUNK_SECONDS", float)
    seconds = settings.chunk_seconds if requested is None else requested
    if not MIN_CHUNK_SECONDS <= seconds <= MAX_CHUNK_SECONDS:  # also true for NaN
        raise InvalidInput(
            f"CHUNK_SECONDS is {seconds:g}: give {MIN_CHUNK_SECONDS:g} to {MAX_CHUNK_SECONDS:g}"
            " seconds"
        )
    return seconds


def _starts_seconds(
    request: Request, settings: SamplingSettings, frames_per_chunk: int
) -> tuple[float, ...]:
    starts = request.array("START_SECONDS")
    if starts is None:
        return ()
    most = settings.max_frames_per_chunk
    if not 1 <= starts.size <= (most // frames_per_chunk if frames_per_chunk else 1):
        raise InvalidInput(
            f"START_SECONDS names {starts.size} chunks of {frames_per_chunk} frames: name at least"
            f" one, and at most {most} frames in all"
        )
    return tuple(starts.tolist())


def _sampling(
    request: Request, settings: SamplingSettings, chunk_seconds: float, least: int
) -> Sampling:
    frames, fps = request.number("FRAMES_PER_CHUNK", int), request.number("SAMPLE_FPS", float)
    keyframes_only = bool(request.number("KEYFRAMES_ONLY", bool))
    most = settings.max_frames_per_chunk
    if frames is not None and fps is not None:
        raise InvalidInput("got both of FRAMES_PER_CHUNK and SAMPLE_FPS: send one of them")
    if fps is None:
        frames = settings.frames_per_chunk if frames is None else frames
        if not least <= frames <= most:
            raise InvalidInput(f"FRAMES_PER_CHUNK is {frames}: give {least} to {most}")
        return Sampling(frames, keyframes_only=keyframes_only)
    if not 0 < fps <= MAX_SAMPLE_FPS:  # also true for NaN
        raise InvalidInput(f"SAMPLE_FPS is {fps:g}: give more than 0 and up to {MAX_SAMPLE_FPS:g}")
    sampling = Sampling(fps=fps, keyframes_only=keyframes_only)
    if sampling.count(chunk_seconds) > most:
        raise InvalidInput(
            f"SAMPLE_FPS {fps:g} in chunks of {chunk_seconds:g} s makes"
            f" {sampling.count(chunk_seconds)} frames per chunk, and {most} are allowed: set"
            f" CHUNK_SECONDS to {math.floor(most / fps * 100) / 100:g} or less"
        )
    return sampling


def _size_px(request: Request) -> int | None:
    size_px = request.number("SIZE_PX", int)
    if size_px is not None and not MIN_SIZE_PX <= size_px <= MAX_SIZE_PX:
        raise InvalidInput(f"SIZE_PX is {size_px}: give {MIN_SIZE_PX} to {MAX_SIZE_PX}")
    return size_px


def read_crop(request: Request) -> Crop | None:
    """Return the region of CROP or CROP_PX, None without them; raises InvalidInput."""
    fractions, pixels = request.array("CROP"), request.array("CROP_PX")
    if fractions is not None and pixels is not None:
        raise InvalidInput("got both of CROP and CROP_PX: send fractions or pixels")
    if fractions is not None:
        left, top, width, height = fractions.tolist()
        return Crop(left, top, width, height)
    if pixels is not None:
        left, top, width, height = pixels.tolist()
        return Crop(left, top, width, height, in_pixels=True)
    return None
