# SPDX-License-Identifier: Apache-2.0
"""The chunks that the caller has, so that another server's answers can go on after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trireel_client._errors import UnexpectedAnswer
from trireel_client._results import ChunkAnalysis

# Scores of two servers with one checkpoint differ by rounding, with two checkpoints by more.
SCORE_TOLERANCE = 0.02
WHITE_LUMA = 255.0


@dataclass(frozen=True)
class _Facts:
    """The values by which a chunk is recognised."""

    frame_pts: tuple[int, ...]
    time_base: Fraction
    scores: tuple[float, ...]

    @classmethod
    def of(cls, chunk: ChunkAnalysis) -> "_Facts":
        scores = [tag.score for tag in chunk.tags[:1]]
        if chunk.caption is not None:
            scores.append(chunk.caption.score)
        if chunk.quality is not None:
            scores.append(chunk.quality.luma / WHITE_LUMA)
        return cls(chunk.frame_pts, chunk.time_base, (*scores, *chunk.scene_trace))

    def agree(self, other: "_Facts") -> bool:
        """Return whether both describe the same frames by the same checkpoint."""
        return (
            self.frame_pts == other.frame_pts
            and self.time_base == other.time_base
            and len(self.scores) == len(other.scores)
            and np.allclose(self.scores, other.scores, rtol=0.0, atol=SCORE_TOLERANCE)
        )


class DeliveredChunks:
    """The chunks of one video that the caller has, from any server."""

    def __init__(self, first: int = 0) -> None:
        """Begin with no chunk; `first` is the index of the first to come."""
        self._first = first
        self._facts: list[_Facts] = []

    def __len__(self) -> int:
        return len(self._facts)

    def is_new(self, chunk: ChunkAnalysis) -> bool:
        """Return whether a chunk is new to the caller, and add it if it is.

        Raises:
            UnexpectedAnswer: if a chunk is missing before it, or differs from the caller's chunk.
        """
        position, count = chunk.index - self._first, len(self._facts)
        if not 0 <= position <= count:
            raise UnexpectedAnswer(
                f"chunk {chunk.index} came in place of chunk {self._first + count}"
            )
        facts = _Facts.of(chunk)
        if position == count:
            self._facts.append(facts)
            return True
        self._check(position, facts)
        return False

    def check_all(self, chunks: Sequence[ChunkAnalysis]) -> None:
        """Check a whole video's chunks against the caller's; raises UnexpectedAnswer."""
        if len(chunks) != len(self._facts):
            raise UnexpectedAnswer(
                f"the whole video has {len(chunks)} chunks, {len(self._facts)} came one by one"
            )
        for index, chunk in enumerate(chunks):
            self._check(index, _Facts.of(chunk))

    def _check(self, index: int, facts: _Facts) -> None:
        if not facts.agree(self._facts[index]):
            raise UnexpectedAnswer(
                f"chunk {index} is not what it was before: the servers do not run the same"
                " checkpoint, or the video has changed; ask for the whole video again"
            )
