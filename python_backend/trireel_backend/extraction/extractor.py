# SPDX-License-Identifier: Apache-2.0
"""Some chunks' frames from one file, in this process."""

import time
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.cache import SamplerCache
from trireel_backend.extraction.container import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
    VideoInfo,
)
from trireel_backend.plan import Chunk


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
        began_ns = time.monotonic_ns()
        file = VideoFile(task.path, task.stream_index, self._options.on_gpu, self._options.limits)
        try:
            sampler = self._samplers.sampler(file)
            starts_seconds = task.starts_seconds or (sampler.info.start_seconds,)
            chunks = tuple(
                _chunk(sampler.info, index, start_seconds, task.chunk_seconds)
                for index, start_seconds in enumerate(starts_seconds)
            )
            pixels = _room(task, chunks) if into is None else into
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
        )
        if not task.keep_open:
            self._samplers.forget(task.path)
        return extracted


def _room(task: ExtractionTask, chunks: Sequence[Chunk]) -> NDArray[np.uint8]:
    count = sum(task.sampling.count(chunk.duration_seconds) for chunk in chunks)
    return np.empty((count, task.view.size_px, task.view.size_px, 3), np.uint8)


def _sample(
    sampler: VideoSampler, task: ExtractionTask, chunks: Sequence[Chunk], into: NDArray[np.uint8]
) -> tuple[Frames, ...]:
    """Sample chunk after chunk, their pixels one behind the other."""
    frames: list[Frames] = []
    at = 0
    for chunk in chunks:
        if task.sampling.count(chunk.duration_seconds) == 0:
            frames.append(Frames(into[:0], np.zeros(0, np.int64), Fraction(1)))
        else:
            frames.append(sampler.sample(chunk, task.sampling, task.view, into[at:]))
        at += len(frames[-1].pts)
    return tuple(frames)


def _chunk(info: VideoInfo, index: int, start_seconds: float, chunk_seconds: float) -> Chunk:
    """Return the chunk asked for, cut where the video ends."""
    if not info.start_seconds <= start_seconds < info.end_seconds:  # also true for NaN
        raise InvalidInput(
            f"START_SECONDS is {start_seconds:g}: the video begins at {info.start_seconds:g} s and"
            f" ends at {info.end_seconds:g} s"
        )
    return Chunk(index, start_seconds, min(chunk_seconds, info.end_seconds - start_seconds))
