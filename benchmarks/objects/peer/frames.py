# SPDX-License-Identifier: Apache-2.0
"""Decoding the frames to look at with the command ffmpeg."""

import asyncio
import subprocess

import numpy as np
from numpy.typing import NDArray
from ray import serve

from benchmarks.common.ray_pipeline import FFMPEG, PROCESSES, THREADS, Chunk, plan, probe


@serve.deployment(max_ongoing_requests=16)
class Chunker:
    """Divides videos into chunks."""

    async def __call__(
        self, path: str, chunk_seconds: float
    ) -> tuple[list[Chunk], tuple[int, int]]:
        """Return the chunks of a video, and width and height of its picture."""
        probed = await asyncio.to_thread(probe, path)
        return plan(probed.duration_seconds, chunk_seconds), probed.size_px


@serve.deployment(max_ongoing_requests=16)
class FrameDecoder:
    """Decodes frames, with at most three processes of ffmpeg at once."""

    def __init__(self, size_px: tuple[int, int] | None) -> None:
        """Prepare to decode.

        Args:
            size_px: width and height that ffmpeg scales to; None leaves the video's own.
        """
        self._size_px = size_px
        self._slots = asyncio.Semaphore(PROCESSES)

    async def __call__(
        self, path: str, chunks: list[Chunk], fps: float, own_px: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """Return the frames [N, H, W, 3] of neighbouring chunks, in order."""
        async with self._slots:
            return await asyncio.to_thread(decode, path, chunks, fps, self._size_px or own_px)


def middles(chunk: Chunk, fps: float) -> list[float]:
    """Return the times of a chunk's frames: the middles of slots of equal length."""
    count = max(1, round(fps * chunk.duration_seconds))
    return [
        chunk.start_seconds + (index + 0.5) * chunk.duration_seconds / count
        for index in range(count)
    ]


def decode(
    path: str, chunks: list[Chunk], fps: float, size_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the frames of neighbouring chunks: for each time, the first frame at or after it."""
    first, last = chunks[0], chunks[-1]
    start_seconds = first.start_seconds
    length_seconds = last.start_seconds + last.duration_seconds - start_seconds
    times = [time - start_seconds for chunk in chunks for time in middles(chunk, fps)]
    chosen = "+".join(f"gte(t,{t:.6f})*(lt(prev_t,{t:.6f})+isnan(prev_t))" for t in times)
    width_px, height_px = size_px
    command = [
        *(FFMPEG, "-v", "error", "-nostdin", "-threads", str(THREADS)),
        *("-ss", str(start_seconds), "-t", str(length_seconds), "-i", path),
        *("-vf", f"select='{chosen}',scale={width_px}:{height_px}", "-fps_mode", "vfr"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height_px, width_px, 3)
