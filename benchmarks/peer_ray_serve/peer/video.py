# SPDX-License-Identifier: Apache-2.0
"""Sampling a video's frames with the commands ffprobe and ffmpeg."""

import asyncio
import subprocess
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.ray_pipeline import FFMPEG, PROCESSES, THREADS, Chunk, plan, probe


@dataclass(frozen=True)
class Sampling:
    """Which frames are wanted of every chunk."""

    num_frames: int
    size_px: int
    """Width and height that ffmpeg scales to."""


class FrameSampler:
    """Runs ffmpeg for all requests of a replica, at most so many at once."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(PROCESSES)

    async def chunks(self, path: str, chunk_seconds: float) -> list[Chunk]:
        """Return the chunks of a video; a tail under half a second is dropped."""
        probed = await asyncio.to_thread(probe, path)
        return plan(probed.duration_seconds, chunk_seconds)

    async def one_by_one(
        self, path: str, chunks: list[Chunk], sampling: Sampling
    ) -> list[NDArray[np.uint8]]:
        """Return the frames of every chunk, each sampled by a process of its own."""

        async def sample(chunk: Chunk) -> NDArray[np.uint8]:
            async with self._slots:
                return await asyncio.to_thread(sample_chunk, path, chunk, sampling)

        return await asyncio.gather(*(sample(chunk) for chunk in chunks))

    async def together(
        self, path: str, chunks: list[Chunk], sampling: Sampling
    ) -> list[NDArray[np.uint8]]:
        """Return the frames of every chunk, sampled by one process that reads the whole video."""
        async with self._slots:
            return await asyncio.to_thread(sample_video, path, chunks, sampling)


def sample_chunk(path: str, chunk: Chunk, sampling: Sampling) -> NDArray[np.uint8]:
    """Return evenly spaced frames [num_frames, S, S, 3] of a chunk, RGB."""
    rate = sampling.num_frames / chunk.duration_seconds
    where = ["-ss", str(chunk.start_seconds), "-t", str(chunk.duration_seconds)]
    frames = _run(path, where, f"fps={rate}", sampling.size_px, "cfr")
    return _exactly(frames, sampling.num_frames)


def sample_video(path: str, chunks: list[Chunk], sampling: Sampling) -> list[NDArray[np.uint8]]:
    """Return the frames of all chunks: of every wanted time, the first frame at it or after it."""
    wanted = [
        chunk.start_seconds + index * chunk.duration_seconds / sampling.num_frames
        for chunk in chunks
        for index in range(sampling.num_frames)
    ]
    # A frame is taken where it is at or after a time that the one before it was not.
    times = "+".join(f"gte(t,{t:.6f})*(lt(prev_t,{t:.6f})+isnan(prev_t))" for t in wanted)
    frames = _run(path, [], f"select='{times}'", sampling.size_px, "vfr")
    ends = [sampling.num_frames * (index + 1) for index in range(len(chunks))]
    parts = np.split(frames, ends[:-1])
    return [_exactly(part, sampling.num_frames) for part in parts]


def _run(path: str, where: list[str], chosen: str, size_px: int, mode: str) -> NDArray[np.uint8]:
    command = [
        *(FFMPEG, "-v", "error", "-nostdin", "-threads", str(THREADS)),
        *(*where, "-i", path),
        *("-vf", f"{chosen},scale={size_px}:{size_px}", "-fps_mode", mode),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size_px, size_px, 3)


def _exactly(frames: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Repeat the last frame where there are too few, leave out the last where too many."""
    if len(frames) == 0:
        raise ValueError("ffmpeg gave no frames for a chunk")
    missing = max(0, count - len(frames))
    return np.concatenate([frames[:count], np.repeat(frames[-1:], missing, axis=0)])
