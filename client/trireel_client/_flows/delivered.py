# SPDX-License-Identifier: Apache-2.0
"""What has been handed out of a video, so that another server's answers can go on from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trireel_client._errors import UnexpectedAnswer
from trireel_client._results import ChunkAnalysis

# Between two servers of one checkpoint scores differ by rounding, between two checkpoints by more.
SCORE_TOLERANCE = 0.02


@dataclass(frozen=True)
class _Facts:
    """What is kept of a chunk to know it by."""

    frame_pts: tuple[int, ...]
    time_base: Fraction
    scores: tuple[float, ...]

    @classmethod
    def of(cls, chunk: ChunkAnalysis) -> "_Facts":
        best_tag = (tag.score for tag in chunk.tags[:1])
        scores = (chunk.caption.score, *best_tag, *chunk.scene_trace)
        return cls(chunk.frame_pts, chunk.time_base, scores)

    def agree(self, other: "_Facts") -> bool:
        """Tell whether both were said of the same frames by the same checkpoint."""
        return (
            self.frame_pts == other.frame_pts
            and self.time_base == other.time_base
            and len(self.scores) == len(other.scores)
            and np.allclose(self.scores, other.scores, rtol=0.0, atol=SCORE_TOLERANCE)
        )


class Given:
    """The chunks of one video that the caller has, whoever answered them."""

    def __init__(self) -> None:
        self._facts: list[_Facts] = []

    def __len__(self) -> int:
        return len(self._facts)

    def is_new(self, chunk: ChunkAnalysis) -> bool:
        """Tell whether the caller has yet to be given a chunk, and take it as given.

        Raises:
            UnexpectedAnswer: a chunk is missing before it, or it is not what the caller was given.
        """
        if not 0 <= chunk.index <= len(self._facts):
            raise UnexpectedAnswer(
                f"chunk {chunk.index} came where chunk {len(self._facts)} was to come"
            )
        facts = _Facts.of(chunk)
        if chunk.index == len(self._facts):
            self._facts.append(facts)
            return True
        self._check(chunk.index, facts)
        return False

    def check_all(self, chunks: Sequence[ChunkAnalysis]) -> None:
        """Check a whole video's chunks against those that were given; raises UnexpectedAnswer."""
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
