# SPDX-License-Identifier: Apache-2.0
"""A scene: one place, one activity and one camera, drawn at any moment in any size."""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.figures.activities import Act
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.things import Thing, TracingPen
from trireel_drawings.places.register import PLACES
from trireel_drawings.scenes.camera import Camera, add_noise, random_camera
from trireel_drawings.scenes.travel import Travel

PenT = TypeVar("PenT", bound=Pen)

# Each purpose of the dice has a stream of its own, so that a change of the people does not move the
# furniture.
CAMERA_STREAM, PLACE_STREAM, PEOPLE_STREAM, NOISE_STREAM = range(4)

START_SPREAD_SECONDS = 60.0  # scenes start at different moments of their motions

HELD_OUT_SEED = 1_000_000
"""Scenes with this seed or a higher one are never used in training."""


@dataclass(frozen=True)
class Scene:
    """A drawn scene; equal scenes give equal frames, byte for byte."""

    seed: int
    """Number that decides everything beside place and activity."""
    tag: str
    """The place, one of TAGS."""
    description: str
    """Activity, one of the descriptions of the place."""
    camera: Camera = field(init=False)
    """The camera, which follows from the seed."""

    def __post_init__(self) -> None:
        """Check that the place has this activity, and make the camera."""
        if self.tag not in PLACES:
            raise ValueError(f"no place is called {self.tag!r}; there are {', '.join(PLACES)}")
        if self.description not in PLACES[self.tag].acts:
            allowed = "; ".join(PLACES[self.tag].acts)
            raise ValueError(f"{self.description!r} is not drawn in a {self.tag}; use {allowed}")
        object.__setattr__(self, "camera", random_camera(Dice(self.seed, CAMERA_STREAM)))

    def frame(
        self,
        t_seconds: float,
        size_px: tuple[int, int] | int,
        *,
        oversampling: int = 1,
        camera: Camera | Travel | None = None,
    ) -> NDArray[np.uint8]:
        """Draw the scene at one moment.

        Args:
            t_seconds: Time since the start of the scene.
            size_px: (width, height) of the frame, or the edge of a square one. The view is always
                16:9; a frame of other shape shows all of it, squashed.
            oversampling: Draw that many times larger and average, for smooth edges.
            camera: Camera to use instead of the scene's own.

        Returns:
            uint8 [H, W, 3], RGB.
        """
        pen = self._painted(Pen, t_seconds, size_px, oversampling, camera)
        return self._seen(pen, t_seconds, oversampling, camera)

    def observed(
        self,
        t_seconds: float,
        size_px: tuple[int, int] | int,
        *,
        oversampling: int = 1,
        camera: Camera | Travel | None = None,
        extras: Act | None = None,
    ) -> tuple[NDArray[np.uint8], tuple[Thing, ...]]:
        """Draw the scene at one moment, as `frame` does, and tell where its things are.

        Args:
            extras: Function that paints more onto the finished scene.

        Returns:
            The frame, and the things of which it shows a pixel. The boxes come from the drawing
            before it is averaged.
        """
        pen = self._painted(TracingPen, t_seconds, size_px, oversampling, camera)
        if extras is not None:
            extras(pen)
        return self._seen(pen, t_seconds, oversampling, camera), pen.things()

    def _painted(
        self,
        pen_type: type[PenT],
        t_seconds: float,
        size_px: tuple[int, int] | int,
        oversampling: int,
        camera: Camera | Travel | None,
    ) -> PenT:
        width, height = (size_px, size_px) if isinstance(size_px, int) else size_px
        start = Dice(self.seed, CAMERA_STREAM).between(0.0, START_SPREAD_SECONDS)
        drawn_size = (width * oversampling, height * oversampling)
        camera = camera or self.camera
        pen = pen_type(drawn_size, camera.view(t_seconds), camera.tint, start + t_seconds)
        pen.dice = Dice(self.seed, PLACE_STREAM)
        PLACES[self.tag].backdrop(pen)
        pen.dice = Dice(self.seed, PEOPLE_STREAM)
        PLACES[self.tag].acts[self.description](pen)
        return pen

    def _seen(
        self, pen: Pen, t_seconds: float, oversampling: int, camera: Camera | Travel | None
    ) -> NDArray[np.uint8]:
        image = pen.image.reduce(oversampling) if oversampling > 1 else pen.image
        noise = (camera or self.camera).noise
        key = (self.seed, NOISE_STREAM)
        return add_noise(np.asarray(image, dtype=np.uint8), noise, key, t_seconds)


def draw_scene(seed: int, tag: str, description: str) -> Scene:
    """Return the scene of a seed, a place and an activity."""
    return Scene(seed, tag, description)
