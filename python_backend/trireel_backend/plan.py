# SPDX-License-Identifier: Apache-2.0
"""Cutting a video into chunks, and the times at which a chunk is sampled."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput

MIN_TAIL_SECONDS = 0.5
MAX_CHUNKS = 10_000  # a day in chunks of 10 s
MIN_CHUNK_SECONDS = 0.04  # one frame at 25 fps
MAX_CHUNK_SECONDS = 3600.0
LEAST_STILL_SECONDS = 1.0  # a frame on screen for less time is not treated as a still


@dataclass(frozen=True)
class Chunk:
    """A stretch of video that is sampled, encoded and described as a unit."""

    index: int
    """Index of the chunk in the video's plan, from 0."""
    start_seconds: float
    """Start of the chunk in seconds, on the clock of the frames' PTS."""
    duration_seconds: float
    """Length of the chunk in seconds; a chunk with a still is longer than the others, and the last
    chunk may be shorter."""
    sampled_seconds: float | None = None
    """Length in seconds that sets the number of slots, None to use `duration_seconds`; a chunk with
    a still needs no more slots than a chunk of the usual length."""

    @property
    def end_seconds(self) -> float:
        """End of the chunk in seconds."""
        return self.start_seconds + self.duration_seconds


@dataclass(frozen=True)
class Stills:
    """Frames of a video that stay on screen for `LEAST_STILL_SECONDS` or more, in order."""

    before_seconds: NDArray[np.float64]
    """[s] PTS of the frame before each still, minus infinity before the video's first frame."""
    start_seconds: NDArray[np.float64]
    """[s] PTS of each still."""
    end_seconds: NDArray[np.float64]
    """[s] PTS of the frame after each still, or the end of the video."""

    def chunk_duration_seconds(
        self, start_seconds: float, chunk_seconds: float, end_seconds: float
    ) -> float:
        """Return the length of the chunk that begins at a time.

        It is `chunk_seconds`, or less at the end of the video. If the only frame that begins in the
        chunk is still on screen at its end, the chunk continues for as long as that frame does, in
        steps of `chunk_seconds`: so a video never has more chunks than frames.
        """
        chunk_end_seconds = start_seconds + chunk_seconds
        if chunk_end_seconds >= end_seconds:
            # Rounding may make the rest longer than a chunk; that does not make it a still.
            return min(chunk_seconds, end_seconds - start_seconds)
        index = int(np.searchsorted(self.start_seconds, chunk_end_seconds)) - 1
        if index < 0 or self.before_seconds[index] >= start_seconds:
            return chunk_seconds
        still_end_seconds = float(self.end_seconds[index])
        if still_end_seconds >= end_seconds:
            return end_seconds - start_seconds
        steps = math.floor((still_end_seconds - start_seconds) / chunk_seconds + 1e-9)
        return max(1, steps) * chunk_seconds

    def chunk(
        self, index: int, start_seconds: float, chunk_seconds: float, end_seconds: float
    ) -> Chunk:
        """Return the chunk that begins at a time."""
        duration_seconds = self.chunk_duration_seconds(start_seconds, chunk_seconds, end_seconds)
        is_longer = duration_seconds > chunk_seconds
        return Chunk(index, start_seconds, duration_seconds, chunk_seconds if is_longer else None)


NO_STILLS = Stills(np.zeros(0), np.zeros(0), np.zeros(0))


def plan_chunks(
    start_seconds: float,
    duration_seconds: float,
    chunk_seconds: float,
    stills: Stills = NO_STILLS,
) -> tuple[Chunk, ...]:
    """Cut `[start, start + duration)` into chunks of `chunk_seconds`.

    A chunk that ends in a long still continues to the end of that still. A tail shorter than
    `MIN_TAIL_SECONDS` is dropped, as in the pipeline that this one replaces. If the whole video is
    that short, it is one chunk.

    Raises:
        InvalidInput: if there would be more than `MAX_CHUNKS` chunks.
    """
    whole, tail_seconds = divmod(duration_seconds, chunk_seconds)
    # 30.0 / 0.1 leaves a tail of 0.0999...: a float's rounding, not a chunk.
    if math.isclose(tail_seconds, chunk_seconds, rel_tol=1e-9):
        whole, tail_seconds = whole + 1, 0.0
    end_seconds = start_seconds + duration_seconds
    chunks: list[Chunk] = []
    step = 0
    while step < whole:
        if len(chunks) == MAX_CHUNKS:
            raise InvalidInput(
                f"{duration_seconds:g} s of video in chunks of {chunk_seconds:g} s are more than"
                f" {MAX_CHUNKS} chunks: set CHUNK_SECONDS to {duration_seconds / MAX_CHUNKS:.3g}"
                " or more"
            )
        at_seconds = start_seconds + step * chunk_seconds
        chunk = stills.chunk(len(chunks), at_seconds, chunk_seconds, end_seconds)
        if chunk.sampled_seconds is None:  # rounding may have shortened the last chunk
            chunk = Chunk(chunk.index, at_seconds, chunk_seconds)
        chunks.append(chunk)
        step += max(1, round(chunk.duration_seconds / chunk_seconds))
        if chunk.sampled_seconds is not None and chunk.end_seconds >= end_seconds:
            return tuple(chunks)  # a still lasts until the end, tail included
    if tail_seconds >= MIN_TAIL_SECONDS or not chunks:
        tail_start_seconds = start_seconds + step * chunk_seconds
        chunks.append(Chunk(len(chunks), tail_start_seconds, tail_seconds))
    return tuple(chunks)


class Selection(StrEnum):
    """Rule that selects the frames of a second view."""

    RATE = "rate"
    """Frames on screen at a steady rate."""
    EVERY = "every"
    """Every frame whose PTS lies in the chunk, in order of PTS, each once."""
    CHANGES = "changes"
    """Probe frames at most 0.65 s apart, and all frames between two probes that differ."""


@dataclass(frozen=True)
class Sampling:
    """Selects the frames of a chunk: those on screen at the middles of its slots."""

    num_frames: int = 16
    """Number of equal slots in a chunk, if no rate is set; 0 for no frames."""
    fps: float | None = None
    """Slots per second from the chunk's start, instead of a number of slots."""
    keyframes_only: bool = False
    """Use the last keyframe at or before each middle, each once, and decode nothing else."""

    def count(self, chunk_seconds: float) -> int:
        """Return the number of slots in a chunk."""
        if self.fps is None:
            return self.num_frames
        # Slots whose middle lies inside the chunk; a rounding error must not add a slot.
        return max(1, math.ceil(round(chunk_seconds * self.fps, 6) - 0.5))

    def chunk_count(self, chunk: Chunk) -> int:
        """Return the number of slots in a chunk; a still adds no slots."""
        seconds = chunk.sampled_seconds
        return self.count(chunk.duration_seconds if seconds is None else seconds)

    def slot_middles(self, chunk: Chunk) -> NDArray[np.float64]:
        """Return the middle of each of a chunk's slots in seconds, shape [count].

        For a chunk of 10 s from 20 s and 4 frames: 21.25, 23.75, 26.25, 28.75.
        """
        count = self.chunk_count(chunk)
        slot_seconds = chunk.duration_seconds / max(1, count)
        is_usual = chunk.sampled_seconds is None
        if self.fps is not None and is_usual and chunk.duration_seconds * self.fps > 0.5:
            slot_seconds = 1 / self.fps
        slots: NDArray[np.float64] = np.arange(count, dtype=np.float64)
        return chunk.start_seconds + (slots + 0.5) * slot_seconds
