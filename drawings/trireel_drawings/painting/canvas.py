# SPDX-License-Identifier: Apache-2.0
"""Painting in world units: the same picture at any size in pixels.

The world that a camera sees is 16 units wide and 9 high, x to the right and y down. A frame always
shows the whole view, so a square frame is the wide one squashed, as a video frame is squashed for
the model.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Literal

from PIL import Image, ImageDraw

from trireel_drawings.painting.colours import Colour, mix, shade
from trireel_drawings.painting.dice import Dice

WORLD_WIDTH = 16.0
WORLD_HEIGHT = 9.0
WORLD_MARGIN = 3.0  # backgrounds reach this far beyond the view, so that the camera may move

Point = tuple[float, float]
Form = Literal["rectangle", "ellipse", "polygon"]


@dataclass(frozen=True)
class View:
    """Part of the world that the camera sees at one moment."""

    centre_x: float = WORLD_WIDTH / 2
    """World x in the middle of the frame."""
    centre_y: float = WORLD_HEIGHT / 2
    """World y in the middle of the frame."""
    zoom: float = 1.0
    """Magnification: 1 shows the whole world, 2 its middle half."""
    mirrored: bool = False
    """True if left and right are swapped."""


class Pen:
    """Paints shapes given in world units onto an RGB image."""

    def __init__(
        self, size_px: tuple[int, int], view: View, tint: tuple[float, float, float], t: float
    ) -> None:
        """Start a black image of (width, height) pixels for the time `t` in seconds."""
        width_px, height_px = size_px
        self.image = Image.new("RGB", size_px)
        self.t = t
        self.dice = Dice(0)
        self._draw = ImageDraw.Draw(self.image)
        self._tint = tint
        self._tinted: dict[Colour, Colour] = {}
        self._scale_x = width_px / WORLD_WIDTH * view.zoom * (-1 if view.mirrored else 1)
        self._scale_y = height_px / WORLD_HEIGHT * view.zoom
        self._left = width_px / 2 - self._scale_x * view.centre_x
        self._top = height_px / 2 - self._scale_y * view.centre_y

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle with its upper left corner at (x, y)."""
        x0, y0 = self._to_px(x, y)
        x1, y1 = self._to_px(x + width, y + height)
        if x1 < x0:
            x0, x1 = x1, x0
        corners = (x0, y0), (max(x0, x1 - 1), max(y0, y1 - 1))
        self._fill("rectangle", corners, colour)

    def disc(
        self, x: float, y: float, radius: float, colour: Colour, *, height: float | None = None
    ) -> None:
        """Fill a circle, or an ellipse of half the given height, around (x, y)."""
        radius_y = radius if height is None else height
        x0, y0 = self._to_px(x - radius, y - radius_y)
        x1, y1 = self._to_px(x + radius, y + radius_y)
        if x1 < x0:
            x0, x1 = x1, x0
        self._fill("ellipse", ((x0, y0), (x1, y1)), colour)

    def shape(
        self,
        points: Sequence[Point],
        colour: Colour,
        *,
        at: Point = (0.0, 0.0),
        facing: int = 1,
    ) -> None:
        """Fill a polygon whose points are offsets from `at`; facing -1 mirrors them in x."""
        x, y = at
        corners = [self._to_px(x + facing * dx, y + dy) for dx, dy in points]
        self._fill("polygon", corners, colour)

    def line(
        self,
        points: Sequence[Point],
        width: float,
        colour: Colour,
        *,
        at: Point = (0.0, 0.0),
        facing: int = 1,
    ) -> None:
        """Draw a thick line through points, which are offsets from `at` as those of `shape`."""
        for start, end in pairwise(points):
            self.shape(_bar(start, end, width / 2), colour, at=at, facing=facing)

    def fade(
        self, area: tuple[float, float, float, float], top: Colour, bottom: Colour, bands: int = 8
    ) -> None:
        """Fill the rectangle (x, y, width, height) from one colour to another, in bands."""
        x, y, width, height = area
        step = height / bands
        for band in range(bands):
            colour = mix(top, bottom, band / (bands - 1))
            self.box(x, y + band * step, width, step * 1.05, colour)

    @contextmanager
    def thing(self, label: str) -> Iterator[None]:
        """Name what is painted inside the block; a thing inside another is a thing of its own.

        This pen paints only. A `TracingPen` tells where each thing is.
        """
        yield

    def _fill(self, form: Form, corners: Sequence[Point], colour: Colour) -> None:
        """Fill a form given in pixels: two corners of a rectangle or ellipse, or a polygon's."""
        getattr(self._draw, form)(corners, self._lit(colour))

    def _to_px(self, x: float, y: float) -> Point:
        return self._left + self._scale_x * x, self._top + self._scale_y * y

    def _lit(self, colour: Colour) -> Colour:
        lit = self._tinted.get(colour)
        if lit is None:
            red, green, blue = self._tint
            lit = (
                shade((colour[0], 0, 0), red)[0],
                shade((0, colour[1], 0), green)[1],
                shade((0, 0, colour[2]), blue)[2],
            )
            self._tinted[colour] = lit
        return lit


def _bar(start: Point, end: Point, half: float) -> tuple[Point, ...]:
    """Return the six corners of a bar; its pointed ends make the joints of a line look round."""
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0) or 1.0
    along_x, along_y = (x1 - x0) / length * half, (y1 - y0) / length * half
    return (
        (x0 - along_y, y0 + along_x),
        (x0 - along_x * 0.8, y0 - along_y * 0.8),
        (x0 + along_y, y0 - along_x),
        (x1 + along_y, y1 - along_x),
        (x1 + along_x * 0.8, y1 + along_y * 0.8),
        (x1 - along_y, y1 + along_x),
    )
