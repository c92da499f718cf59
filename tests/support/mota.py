# SPDX-License-Identifier: Apache-2.0
"""How well tracks agree with the truth: CLEAR MOT's accuracy (MOTA) and switches of ids.

K. Bernardin and R. Stiefelhagen, Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics, 2008. A pair of the frame before stays a pair as long as its boxes overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trireel_backend.tracking.assignment import best_pairs
from trireel_backend.tracking.boxes import overlaps

LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class Boxes:
    """The true or the found boxes of one frame."""

    boxes: NDArray[np.float64]
    """[b, 4] left, top, right, bottom."""
    labels: Sequence[str]
    """[b] labels."""
    ids: Sequence[int]
    """[b] ids of true things, or of tracks."""
    hidden: Sequence[bool] = ()
    """[b] True for a true thing that may be found or not, and counts for nothing; empty if there is
    none."""


@dataclass
class Accuracy:
    """Counts over the frames of one video or more."""

    things: int = 0
    """True boxes that must be found."""
    missed: int = 0
    """Those that were not found."""
    false: int = 0
    """Boxes found where nothing is."""
    switches: int = 0
    """Times at which another track goes on with a thing."""
    _pairs: dict[int, int] = field(default_factory=dict)  # of the last frame, thing to track
    _tracks: dict[int, int] = field(default_factory=dict)  # the last track of each thing

    @property
    def mota(self) -> float:
        """Return 1 if all is right; it may be below 0."""
        return 1 - (self.missed + self.false + self.switches) / max(1, self.things)

    def begin_video(self) -> None:
        """Forget the pairs: things and tracks of the next video are others."""
        self._pairs.clear()
        self._tracks.clear()

    def add(self, truth: Boxes, found: Boxes) -> None:
        """Count a frame."""
        pairs = self._matched(truth, found)
        hidden = truth.hidden or [False] * len(truth.ids)
        pair_of = {truth.ids[row]: found.ids[column] for row, column in pairs if not hidden[row]}
        seen = len(truth.ids) - sum(hidden)
        self.things += seen
        self.missed += seen - len(pair_of)
        self.false += len(found.ids) - len(pairs)
        for thing, track in pair_of.items():
            self.switches += self._tracks.get(thing, track) != track
            self._tracks[thing] = track
        self._pairs = pair_of

    def _matched(self, truth: Boxes, found: Boxes) -> list[tuple[int, int]]:
        overlap = overlaps(truth.boxes, found.boxes)
        same = np.array([[one == other for other in found.labels] for one in truth.labels])
        overlap = np.where(same.reshape(overlap.shape), overlap, 0.0)
        kept = [
            (row, found.ids.index(track))
            for row, thing in enumerate(truth.ids)
            if (track := self._pairs.get(thing)) in found.ids
            and overlap[row, found.ids.index(track)] >= LEAST_OVERLAP
        ]
        for row, column in kept:
            overlap[row] = overlap[:, column] = 0.0
        return kept + best_pairs(overlap, LEAST_OVERLAP)
