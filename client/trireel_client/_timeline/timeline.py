# SPDX-License-Identifier: Apache-2.0
"""The scenes of one video as exact fractions of a second; every format is written from it."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class FrameRate:
    """The frame rate of a video."""

    fps: Fraction
    """Frames per second; the average of a video with a variable frame rate."""
    is_variable: bool
    """True if the frames do not follow each other at one rate."""


@dataclass(frozen=True)
class Scene:
    """One scene; its times are exact, in seconds from the video's first frame."""

    start: Fraction
    """Begin of the scene."""
    end: Fraction
    """End of the scene, the begin of the next scene."""
    title: str
    """One line that names the scene, never empty."""
    kind: str
    """Kind of the transition that the scene begins with, such as `cut`; empty for the first."""
    tags: tuple[str, ...]
    """Tags of the scene, best first, each one line."""
    caption: str
    """Caption of the scene as one line; empty if there is none."""


@dataclass(frozen=True)
class Timeline:
    """All scenes of a video, in order and without gaps."""

    name: str
    """Name of the video for people, one line."""
    url: str
    """URL of the video's file, percent-encoded."""
    time_base: Fraction
    """Unit of the PTS in seconds; each time of a scene is a multiple of it."""
    rate: FrameRate | None
    """Frame rate; None if the server does not report it."""
    size_px: tuple[int, int] | None
    """Width and height of the upright picture; None if the server does not report them."""
    scenes: tuple[Scene, ...]
    """Scenes of the video, at least one."""

    @property
    def end(self) -> Fraction:
        """End of the last scene, in seconds from the video's first frame."""
        return self.scenes[-1].end
