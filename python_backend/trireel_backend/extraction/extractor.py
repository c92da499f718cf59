# SPDX-License-Identifier: Apache-2.0
"""Some chunks' frames from one file, in this process."""

import resource
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork
from trireel_backend.extraction.cache import SamplerCache
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
)
from trireel_backend.plan import MIN_TAIL_SECONDS, Chunk, plan_chunks


class Extractor:
    """Does tasks one after the other."""

    def __init__(self, options: ExtractorOptions) -> None:
        self._options = options
        self._samplers = SamplerCache(options.open_videos_bytes)

    def run(self, task: ExtractionTask, into: NDArray[np.uint8] | None = None) -> Extracted:
        """Do a task.

        Args:
            into: [at least as many as frames, S, S, 3], where the pixels are to be.

        Raises:
            RequestError: the file or what is wanted of it is not usable.
        """
        try:
            extracted = self._run(task, into)
            is_damaged = any(frames.damaged_packets for frames in extracted.frames)
            lacks_memory = is_damaged and self._is_crowded()
        except (NotAVideo, TooMuchWork):
            lacks_memory = self._is_crowded()
            if not lacks_memory:
                raise
        if lacks_memory:  # FFmpeg does not always say that it is this
            self._samplers.close()
            extracted = self._run(task, into)
        if self._is_crowded():
            self._samplers.close()
        return extracted

    def close_vanished(self) -> None:
        """Let go of videos whose files have been removed."""
        self._samplers.close_vanished()

    def is_worn_out(self) -> bool:
        """Tell whether memory is short though no video is open."""
        return self._is_crowded() and not len(self._samplers)

    def _is_crowded(self) -> bool:
        return _data_bytes() > self._options.limits.memory_bytes / 2

    def _run(self, task: ExtractionTask, into: NDArray[np.uint8] | None) -> Extracted:
        began_ns = time.monotonic_ns()
        file = VideoFile(task.path, task.stream_index, self._options.on_gpu, self._options.limits)
        sampler = self._samplers.sampler(file)
        chunks = _chunks(sampler, task)
        pixels = _room(task, chunks) if into is None else into
        try:
            frames = _sample(sampler, task, chunks, pixels)
        except Exception:
            self._samplers.forget(task.path)  # whatever state it was left in
            raise
        extracted = Extracted(
            info=sampler.info,
            pixels=pixels[: sum(len(part.pts) for part in frames)],
            chunks=chunks,
            frames=frames,
            decoder=sampler.decoder,
            began_ns=began_ns,
            ended_ns=time.monotonic_ns(),
            plan=_plan(sampler, task) if task.with_plan else (),
        )
        if not task.keep_open or _is_through(extracted):
            self._samplers.forget(task.path)
        return extracted


def _data_bytes() -> int:
    """Return what counts against RLIMIT_DATA, nearly: proc(5), statm's sixth field."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()


def _is_through(extracted: Extracted) -> bool:
    """Tell whether no chunk is left after those whose frames were taken."""
    left_seconds = extracted.info.end_seconds - extracted.chunks[-1].end_seconds
    return len(extracted.pixels) > 0 and left_seconds < MIN_TAIL_SECONDS


def _chunks(sampler: VideoSampler, task: ExtractionTask) -> tuple[Chunk, ...]:
    starts_seconds = task.starts_seconds or (sampler.info.start_seconds,)
    return tuple(
        _chunk(sampler, index, start_seconds, task.chunk_seconds)
        for index, start_seconds in enumerate(starts_seconds)
    )


def _plan(sampler: VideoSampler, task: ExtractionTask) -> tuple[Chunk, ...]:
    info = sampler.info
    return plan_chunks(
        info.start_seconds, info.duration_seconds, task.chunk_seconds, sampler.stills
    )


def _room(task: ExtractionTask, chunks: Sequence[Chunk]) -> NDArray[np.uint8]:
    count = sum(task.sampling.chunk_count(chunk) for chunk in chunks)
    return np.empty((count, task.view.size_px, task.view.size_px, 3), np.uint8)


def _sample(
    sampler: VideoSampler, task: ExtractionTask, chunks: Sequence[Chunk], into: NDArray[np.uint8]
) -> tuple[Frames, ...]:
    """Sample chunk after chunk, their pixels one behind the other."""
    frames: list[Frames] = []
    at = 0
    for chunk in chunks:
        if task.sampling.chunk_count(chunk) == 0:
            frames.append(Frames(into[:0], np.zeros(0, np.int64), Fraction(1)))
        else:
            frames.append(sampler.sample(chunk, task.sampling, task.view, into[at:]))
        at += len(frames[-1].pts)
    return tuple(frames)


def _chunk(sampler: VideoSampler, index: int, start_seconds: float, chunk_seconds: float) -> Chunk:
    """Return the chunk that begins at a time: as long as its still, cut at the video's end."""
    info = sampler.info
    if not info.start_seconds <= start_seconds < info.end_seconds:  # also true for NaN
        raise InvalidInput(
            f"START_SECONDS is {start_seconds:g}: the video begins at {info.start_seconds:g} s and"
            f" ends at {info.end_seconds:g} s"
        )
    return sampler.stills.chunk(index, start_seconds, chunk_seconds, info.end_seconds)
