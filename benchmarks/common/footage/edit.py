# SPDX-License-Identifier: Apache-2.0
"""An edit: shots, the joins between them, the effects over them, and its frames in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.footage.joins import MIXERS

Picture = NDArray[np.uint8]
Effect = Callable[[Picture, float], Picture]
"""Changes a frame (uint8 [H, W, 3]) at a time of the edit in seconds."""

CUT = "cut"
MIN_PICTURE_SECONDS = Fraction(1, 5)
"""Least time for which a shot is seen alone between two gradual joins."""


@dataclass(frozen=True)
class Shot:
    """Footage that is continuous in itself."""

    picture: Callable[[float], Picture]
    """Returns the frame at a time of the shot in seconds, which may be below 0."""
    seconds: Fraction
    """Time from the middle of the join before it to the middle of the join after it."""


@dataclass(frozen=True)
class Join:
    """The change from one shot to the next."""

    kind: str = CUT
    """One of cut, dissolve, fade, wipe."""
    seconds: Fraction = Fraction(0)
    """Duration; 0 for a cut."""
    style: str = ""
    """Colour of a fade (black, white), or movement of a wipe."""


@dataclass(frozen=True)
class Moment:
    """Shots that one frame shows."""

    shot: int
    """Index of the shot, or of the outgoing one within a gradual join."""
    share: float = 0.0
    """Part of a gradual join that is over, in [0, 1)."""
    join: Join | None = None
    """The gradual join that the frame belongs to."""


@dataclass(frozen=True)
class Edit:
    """A video that is made of shots."""

    name: str
    """Name of its file without the suffix."""
    group: str
    """Kind of video, for the results by group."""
    shots: tuple[Shot, ...]
    """The shots in order."""
    joins: tuple[Join, ...]
    """The joins between them, one less than there are shots."""
    times: Callable[[Fraction], Sequence[Fraction]]
    """Returns the PTS in seconds of all frames of a video of a duration."""
    size_px: tuple[int, int]
    """(width, height)."""
    effects: tuple[Effect, ...] = ()
    """Changes of the finished picture, in order."""
    flashes: tuple[float, ...] = ()
    """Times in seconds of flashes, for the truth."""
    options: tuple[tuple[str, str], ...] = ()
    """Options of libx264."""
    inner_cuts: tuple[Fraction, ...] = ()
    """Times in seconds of cuts within the shots, for the truth."""

    def __post_init__(self) -> None:
        """Check that there is a join between any two shots, and that joins do not touch."""
        if len(self.joins) != len(self.shots) - 1:
            raise ValueError(f"{self.name}: {len(self.shots)} shots, {len(self.joins)} joins")
        edges = [Fraction(0), *(join.seconds / 2 for join in self.joins), Fraction(0)]
        for shot, (before, after) in zip(self.shots, pairwise(edges), strict=True):
            if shot.seconds - before - after < MIN_PICTURE_SECONDS:
                raise ValueError(f"{self.name}: a shot of {shot.seconds} s is too short")

    @property
    def seconds(self) -> Fraction:
        """Duration of the video."""
        return sum((shot.seconds for shot in self.shots), Fraction(0))

    def middles(self) -> list[Fraction]:
        """Return the times of the middles of all joins."""
        return list(accumulate(shot.seconds for shot in self.shots))[:-1]

    def moments(self, pts: Sequence[Fraction]) -> list[Moment]:
        """Return the shots that are seen at each time."""
        return [self._moment(at) for at in pts]

    def _moment(self, at: Fraction) -> Moment:
        for index, (middle, join) in enumerate(zip(self.middles(), self.joins, strict=True)):
            begin, end = middle - join.seconds / 2, middle + join.seconds / 2
            if at < begin:
                return Moment(index)
            if at < end:
                return Moment(index, float((at - begin) / join.seconds), join)
        return Moment(len(self.shots) - 1)

    def frames(self, pts: Sequence[Fraction]) -> Iterator[Picture]:
        """Yield the frame (uint8 [H, W, 3], RGB) at each time."""
        starts = [Fraction(0), *self.middles()]
        for at, moment in zip(pts, self.moments(pts), strict=True):
            index = moment.shot
            picture = self.shots[index].picture(float(at - starts[index]))
            if moment.join is not None:
                after = self.shots[index + 1].picture(float(at - starts[index + 1]))
                picture = MIXERS[moment.join.kind](picture, after, moment.share, moment.join.style)
            for effect in self.effects:
                picture = effect(picture, float(at))
            yield picture
