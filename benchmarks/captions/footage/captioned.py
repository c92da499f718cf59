# SPDX-License-Identifier: Apache-2.0
"""A video with captions: when each is seen, how it fades, and what else is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.captions.footage.lettering import Lettering, Picture, Style
from benchmarks.common.footage.edit import Edit

BARELY_SEEN = 0.02
"""Opacity below which a text is not drawn."""


@dataclass(frozen=True)
class Shown:
    """A caption and the frames that show it."""

    lettering: Lettering
    first: int
    """Index of the first frame with it."""
    last: int
    """Index of the last frame with it."""
    fade_seconds: float = 0.0
    """Duration of the fade at both ends; 0 for none."""

    def opacity(self, index: int, pts: Sequence[float]) -> float:
        """Return the opacity in a frame, 0 to 1; the first and the last frame show something."""
        if not self.first <= index <= self.last:
            return 0.0
        if not self.fade_seconds:
            return 1.0
        frame_seconds = (pts[-1] - pts[0]) / (len(pts) - 1)
        since, until = pts[index] - pts[self.first], pts[self.last] - pts[index]
        return min(1.0, (min(since, until) + frame_seconds) / self.fade_seconds)

    def full(self, pts: Sequence[float]) -> tuple[int, int]:
        """Return the first and the last frame that show it at its full opacity."""
        shown = range(self.first, self.last + 1)
        best = max(self.opacity(index, pts) for index in shown)
        full = [index for index in shown if self.opacity(index, pts) > best - 1e-6]
        return full[0], full[-1]


@dataclass(frozen=True)
class Clock:
    """A time of day that counts in the picture, and is no caption."""

    style: Style
    at: tuple[float, float]
    start_seconds: int
    """Time of day at the first frame."""
    size_px: tuple[int, int]

    def lettering(self, seconds: float) -> Lettering:
        """Return what it shows at a time of the video."""
        return _clock_face(self, int(seconds))


@lru_cache(maxsize=4)
def _clock_face(clock: Clock, seconds: int) -> Lettering:
    of_day = clock.start_seconds + seconds
    text = f"{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}"
    return Lettering(text, clock.style, clock.at, clock.size_px)


@dataclass(frozen=True)
class Captioned:
    """Footage with captions over it."""

    edit: Edit
    """The footage below them."""
    pts: tuple[float, ...]
    """PTS in seconds of all frames, as planned."""
    captions: tuple[Shown, ...]
    """The captions in order; no two are seen at once."""
    logo: Lettering | None = None
    """A name that is always there, and is no caption."""
    clock: Clock | None = None

    def over(self, picture: Picture, index: int) -> Picture:
        """Return a frame of the footage with everything that is written over it."""
        for caption in self.captions:
            opacity = caption.opacity(index, self.pts)
            if opacity > BARELY_SEEN:
                picture = caption.lettering.over(picture, opacity)
        if self.logo is not None:
            picture = self.logo.over(picture)
        if self.clock is not None:
            picture = self.clock.lettering(self.pts[index]).over(picture)
        return picture
