# SPDX-License-Identifier: Apache-2.0
"""How a video is cut into chunks and where a chunk is sampled."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput

MIN_TAIL_SECONDS = 0.5
MAX_CHUNKS = 10_000  # a day in chunks of 10 s
MIN_CHUNK_SECONDS = 0.04  # one frame at 25 fps
MAX_CHUNK_SECONDS = 3600.0


@dataclass(frozen=True)
class Chunk:
    """A stretch of video that is sampled, encoded and described as one."""

    index: int
    """Position in the video's plan, from 0."""
    start_seconds: float
    """Where it begins, on the clock of the frames' PTS."""
    duration_seconds: float
    """Its length; only the last chunk may be shorter or longer than the others."""

    @property
    def end_seconds(self) -> float:
        """Where it ends."""
        return self.start_seconds + self.duration_seconds


def plan_chunks(
    start_seconds: float, duration_seconds: float, chunk_seconds: float
) -> tuple[Chunk, ...]:
    """Cut `[start, start + duration)` into chunks of `chunk_seconds`.

    A tail under `MIN_TAIL_SECONDS` is dropped, as in the pipeline this one replaces, unless it is
    all there is: the shortest video is one chunk.

    Raises:
        InvalidInput: there would be more than `MAX_CHUNKS`.
    """
    if duration_seconds > MAX_CHUNKS * chunk_seconds:
        raise InvalidInput(
            f"{duration_seconds:g} s of video in chunks of {chunk_seconds:g} s are more than"
            f" {MAX_CHUNKS} chunks: set CHUNK_SECONDS to {duration_seconds / MAX_CHUNKS:.3g}"
            " or more"
        )
    whole, tail_seconds = divmod(duration_seconds, chunk_seconds)
    # 30.0 / 0.1 leaves a tail of 0.0999...: a float's rounding, not a chunk.
    if math.isclose(tail_seconds, chunk_seconds, rel_tol=1e-9):
        whole, tail_seconds = whole + 1, 0.0
    chunks = [
        Chunk(index, start_seconds + index * chunk_seconds, chunk_seconds)
        for index in range(int(whole))
    ]
    if tail_seconds >= MIN_TAIL_SECONDS or not chunks:
        tail_start_seconds = start_seconds + len(chunks) * chunk_seconds
        chunks.append(Chunk(len(chunks), tail_start_seconds, tail_seconds))
    return tuple(chunks)


@dataclass(frozen=True)
class Sampling:
    """Which frames of a chunk are taken: those on screen at the middles of its slots."""

    num_frames: int = 16
    """Equal slots of a chunk, where no rate is given; 0 to take none."""
    fps: float | None = None
    """Slots a second, from the chunk's start on, instead of a number."""
    keyframes_only: bool = False
    """Take the last keyframe not after each middle, each once, and decode nothing else."""

    def count(self, chunk_seconds: float) -> int:
        """Return the number of slots in a chunk."""
        if self.fps is None:
            return self.num_frames
        # Those whose middle lies inside; a rounding error of the length must not add one.
        return max(1, math.ceil(round(chunk_seconds * self.fps, 6) - 0.5))

    def slot_middles(self, chunk: Chunk) -> NDArray[np.float64]:
        """Return the middle of each of a chunk's slots in seconds, shape [count].

        For a chunk of 10 s from 20 s and 4 frames: 21.25, 23.75, 26.25, 28.75.
        """
        count = self.count(chunk.duration_seconds)
        slot_seconds = chunk.duration_seconds / max(1, count)
        if self.fps is not None and chunk.duration_seconds * self.fps > 0.5:
            slot_seconds = 1 / self.fps
        slots: NDArray[np.float64] = np.arange(count, dtype=np.float64)
        return chunk.start_seconds + (slots + 0.5) * slot_seconds
