# SPDX-License-Identifier: Apache-2.0
"""Frames of some chunks from one file, in this process."""

import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork
from trireel_backend.extraction.cache import SamplerCache
from trireel_backend.extraction.limits import SECOND_VIEWS_BYTES
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.sheet import ViewRequest
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
)
from trireel_backend.plan import MIN_TAIL_SECONDS, Chunk, Selection, plan_chunks


class Extractor:
    """Runs tasks one after the other."""

    def __init__(self, options: ExtractorOptions) -> None:
        self._options = options
        self._samplers = SamplerCache(options.open_videos_bytes)

    def run(
        self,
        task: ExtractionTask,
        into: NDArray[np.uint8] | None = None,
        second_into: NDArray[np.uint8] | None = None,
    ) -> Extracted:
        """Run a task.

        Args:
            into: [number of frames or more, S, S, 3] memory for the pixels.
            second_into: [bytes] memory for the pixels of second views, in sequence.

        Raises:
            RequestError: if the file or the task is unusable.
        """
        try:
            extracted = self._run(task, into, second_into)
            is_damaged = any(frames.damaged_packets for frames in extracted.frames)
            lacks_memory = is_damaged and self._is_crowded()
        except (NotAVideo, TooMuchWork):
            lacks_memory = self._is_crowded()
            if not lacks_memory:
                raise
        if lacks_memory:  # FFmpeg does not always report it as such
            self._samplers.close()
            extracted = self._run(task, into, second_into)
        if self._is_crowded():
            self._samplers.close()
        return extracted

    def close_vanished(self) -> None:
        """Close videos whose files have been removed."""
        self._samplers.close_vanished()

    def is_worn_out(self) -> bool:
        """Return whether memory is short although no video is open."""
        return self._is_crowded() and not len(self._samplers)

    def _is_crowded(self) -> bool:
        return _data_bytes() > self._options.limits.memory_bytes / 2

    def _run(
        self,
        task: ExtractionTask,
        into: NDArray[np.uint8] | None,
        second_into: NDArray[np.uint8] | None,
    ) -> Extracted:
        began_ns = time.monotonic_ns()
        file = VideoFile(task.path, task.stream_index, self._options.on_gpu, self._options.limits)
        sampler = self._samplers.sampler(file)
        chunks = _chunks(sampler, task)
        pixels = _memory(task, chunks) if into is None else into
        try:
            frames, second = _sample(sampler, task, chunks, pixels, _Memory(second_into))
        except Exception:
            self._samplers.forget(task.path)  # its state is unknown after an error
            raise
        extracted = Extracted(
            info=sampler.info,
            pixels=pixels[: sum(len(part.pts) for part in frames)],
            chunks=chunks,
            frames=frames,
            decoder=sampler.decoder,
            picture_size_px=sampler.picture_size_px,
            began_ns=began_ns,
            ended_ns=time.monotonic_ns(),
            plan=_plan(sampler, task) if task.with_plan else (),
            second_frames=second,
        )
        if not task.keep_open or _is_finished(extracted):
            self._samplers.forget(task.path)
        return extracted


def _data_bytes() -> int:
    """Return roughly the bytes that count against RLIMIT_DATA: proc(5), statm's sixth field."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()


def _is_finished(extracted: Extracted) -> bool:
    """Return whether no chunk follows the extracted chunks."""
    tail_seconds = extracted.info.end_seconds - extracted.chunks[-1].end_seconds
    return len(extracted.pixels) > 0 and tail_seconds < MIN_TAIL_SECONDS


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


def _memory(task: ExtractionTask, chunks: Sequence[Chunk]) -> NDArray[np.uint8]:
    count = sum(task.sampling.chunk_count(chunk) for chunk in chunks)
    return np.empty(task.view.shape(count), np.uint8)


class _Memory:
    """Flat memory that is filled frame by frame."""

    def __init__(self, memory: NDArray[np.uint8] | None) -> None:
        self._memory = memory
        self._at = 0

    def check(self, more_bytes: int) -> None:
        """Raise InvalidInput if frames of this size do not fit beside those that were put."""
        most_bytes = SECOND_VIEWS_BYTES if self._memory is None else len(self._memory)
        if self._at + more_bytes > most_bytes:
            raise InvalidInput(
                f"the frames that FIND needs take more than {most_bytes} bytes: name fewer"
                " chunks in START_SECONDS, or request shorter chunks"
            )

    def put(self, frames: Frames) -> Frames:
        """Copy frames behind those that were put before; raises InvalidInput."""
        size_bytes = frames.pixels.nbytes
        self.check(size_bytes)
        begin, self._at = self._at, self._at + size_bytes
        if self._memory is None:
            return frames
        pixels = self._memory[begin : self._at].reshape(frames.pixels.shape)
        pixels[:] = frames.pixels
        return replace(frames, pixels=pixels)


def _sample(
    sampler: VideoSampler,
    task: ExtractionTask,
    chunks: Sequence[Chunk],
    into: NDArray[np.uint8],
    second_memory: _Memory,
) -> tuple[tuple[Frames, ...], tuple[tuple[Frames, ...], ...]]:
    """Sample the chunks in order into consecutive memory; each chunk is decoded once."""
    frames: list[Frames] = []
    second: list[tuple[Frames, ...]] = []
    at = 0
    _check_second_views(sampler, task, chunks, second_memory)
    for chunk in chunks:
        if task.sampling.chunk_count(chunk) == 0:
            frames.append(Frames(into[:0], np.zeros(0, np.int64), Fraction(1)))
            continue
        request = ViewRequest(task.sampling, task.view, into[at:])
        first, *others = sampler.sample_views(chunk, request, task.second_views)
        frames.append(first)
        second.append(tuple(map(second_memory.put, others)))
        at += len(first.pts)
    return tuple(frames), tuple(second)


def _check_second_views(
    sampler: VideoSampler, task: ExtractionTask, chunks: Sequence[Chunk], memory: _Memory
) -> None:
    """Reject second views that are too large, before anything is decoded; raises InvalidInput."""
    size_bytes = 0
    for other in task.second_views:
        for chunk in chunks if task.sampling.count(1.0) else ():
            count = (
                other.sampling(chunk).chunk_count(chunk)
                if other.selection == Selection.RATE
                else sampler.most_frames(chunk, other)
            )
            size_bytes += count * other.view.frame_bytes
    memory.check(size_bytes)


def _chunk(sampler: VideoSampler, index: int, start_seconds: float, chunk_seconds: float) -> Chunk:
    """Return the chunk that begins at a time: as long as its still, cut at the video's end."""
    info = sampler.info
    if not info.start_seconds <= start_seconds < info.end_seconds:  # also true for NaN
        raise InvalidInput(
            f"START_SECONDS is {start_seconds:g}: the video begins at {info.start_seconds:g} s and"
            f" ends at {info.end_seconds:g} s"
        )
    return sampler.stills.chunk(index, start_seconds, chunk_seconds, info.end_seconds)
