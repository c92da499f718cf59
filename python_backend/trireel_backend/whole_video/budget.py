# SPDX-License-Identifier: Apache-2.0
"""What one request for a whole video may cost; checked before the cost arises."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from trireel_backend.errors import StartupError, TooMuchWork
from trireel_backend.wire.tensors import STACKED, Tensors


@dataclass(frozen=True)
class CostLimits:
    """Operator's limits on the cost of one request."""

    max_frames_per_video: int = 200_000
    """Most frames of one video that are decoded and embedded: a day has 138,240 by default."""
    max_answer_bytes: int = 2**29
    """Most bytes of the answer for one whole video."""

    def __post_init__(self) -> None:
        if min(self.max_frames_per_video, self.max_answer_bytes) < 1:
            raise StartupError(f"got {self}: give 1 or more")

    def check_frames(self, num_chunks: int, frames_per_chunk: int) -> None:
        """Raise TooMuchWork if a video's chunks have too many frames together."""
        frames = num_chunks * frames_per_chunk
        if frames > self.max_frames_per_video:
            raise TooMuchWork(
                f"{num_chunks} chunks of {frames_per_chunk} frames are {frames:,} frames: at most"
                f" {self.max_frames_per_video:,} are taken from one video; request fewer frames of"
                " a chunk, longer chunks, or a part of the video"
            )


class AnswerBudget:
    """Adds up the bytes of a video's answer, chunk by chunk."""

    def __init__(self, limits: CostLimits, num_chunks: int) -> None:
        """Begin a video of so many chunks."""
        self._limits = limits
        self._num_chunks = num_chunks
        self._chunks = 0
        self._bytes = 0

    def add(self, answer: Tensors) -> None:
        """Count a chunk's answer.

        Raises:
            TooMuchWork: if the answer of the whole video would be too large at this rate.
        """
        self._chunks += 1
        self._bytes += sum(
            _num_bytes(array) for name, array in answer.items() if name.startswith(STACKED)
        )
        expected = self._bytes / self._chunks * self._num_chunks
        if expected > self._limits.max_answer_bytes:
            raise TooMuchWork(
                f"the answer for {self._num_chunks} chunks would have about"
                f" {expected / 2**20:,.0f} MiB, and {self._limits.max_answer_bytes / 2**20:,.0f}"
                " MiB are allowed: request a smaller TOP_K, longer chunks, no WITH_EMBEDDINGS, or"
                " a part of the video"
            )


def _num_bytes(array: NDArray[Any]) -> int:
    """Return the bytes of a tensor on the wire; each text has its length in front."""
    if array.dtype != object:
        return array.nbytes
    return sum(4 + len(value) for value in array.flat)
