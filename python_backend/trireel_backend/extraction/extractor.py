# SPDX-License-Identifier: Apache-2.0
"""One chunk's frames from one file, in this process."""

import time
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.cache import SamplerCache
from trireel_backend.extraction.container import VideoFile
from trireel_backend.extraction.task import (
    Extracted,
    ExtractionTask,
    ExtractorOptions,
    Frames,
    VideoInfo,
)
from trireel_backend.extraction.view import View
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
            chunk = _chunk(sampler.info, task.start_seconds, task.chunk_seconds)
            if task.sampling.count(chunk.duration_seconds) == 0:
                frames = _no_frames(task.view)
            else:
                frames = sampler.sample(chunk, task.sampling, task.view, into)
            extracted = Extracted(
                sampler.info, chunk, frames, sampler.decoder, began_ns, time.monotonic_ns()
            )
        except Exception:
            self._samplers.forget(task.path)  # whatever state it was left in
            raise
        if not task.keep_open:
            self._samplers.forget(task.path)
        return extracted


def _chunk(info: VideoInfo, start_seconds: float | None, chunk_seconds: float) -> Chunk:
    """Return the chunk asked for, cut where the video ends."""
    start = info.start_seconds if start_seconds is None else start_seconds
    if not info.start_seconds <= start < info.end_seconds:  # also true for NaN
        raise InvalidInput(
            f"START_SECONDS is {start:g}: the video begins at {info.start_seconds:g} s and ends"
            f" at {info.end_seconds:g} s"
        )
    return Chunk(0, start, min(chunk_seconds, info.end_seconds - start))


def _no_frames(view: View) -> Frames:
    pixels = np.zeros((0, view.size_px, view.size_px, 3), np.uint8)
    return Frames(pixels, np.zeros(0, np.int64), Fraction(1))
