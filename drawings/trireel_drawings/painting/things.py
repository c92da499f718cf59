# SPDX-License-Identifier: Apache-2.0
"""Things in a picture: their names, and the boxes of what is seen of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from trireel_drawings.painting.canvas import Form, Pen, Point, View
from trireel_drawings.painting.colours import Colour

P = ParamSpec("P")
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class Thing:
    """A thing of which a picture shows at least one pixel."""

    label: str
    """Name of its kind, such as "car"."""
    number: int
    """Place in the order of painting: the same for the same thing at every moment of a scene."""
    box: Box
    """Extents of its visible pixels, as fractions of the picture."""
    visible: float
    """Area of the box as a share of the box of the whole thing: smaller than 1 if other things or
    the picture's edge hide a side of it."""


def paints(
    label: str,
) -> Callable[[Callable[Concatenate[Pen, P], None]], Callable[Concatenate[Pen, P], None]]:
    """Return a decorator of functions that paint one thing of this name."""

    def decorate(
        paint: Callable[Concatenate[Pen, P], None],
    ) -> Callable[Concatenate[Pen, P], None]:
        @wraps(paint)
        def paint_thing(pen: Pen, /, *args: P.args, **kwargs: P.kwargs) -> None:
            with pen.thing(label):
                paint(pen, *args, **kwargs)

        return paint_thing

    return decorate


class TracingPen(Pen):
    """Paints the same picture as a Pen, and keeps which thing each pixel belongs to."""

    def __init__(
        self, size_px: tuple[int, int], view: View, tint: tuple[float, float, float], t: float
    ) -> None:
        """Start as a Pen does, with pixels that belong to nothing."""
        super().__init__(size_px, view, tint, t)
        self._owners = Image.new("I", size_px)
        self._owner_draw = ImageDraw.Draw(self._owners)
        self._labels: list[str] = []
        self._wholes: list[list[float]] = []
        self._owner = 0  # a thing's number plus one, 0 for the background

    @contextmanager
    def thing(self, label: str) -> Iterator[None]:
        """Give what is painted inside the block to a new thing."""
        outer = self._owner
        self._labels.append(label)
        self._wholes.append([np.inf, np.inf, -np.inf, -np.inf])
        self._owner = len(self._labels)
        yield
        self._owner = outer

    def things(self) -> tuple[Thing, ...]:
        """Return the things of which a pixel is visible, in the order of painting."""
        owners = np.asarray(self._owners)
        size_px = np.array([owners.shape[1], owners.shape[0]] * 2)
        seen = []
        for owner in np.unique(owners[owners > 0]).tolist():
            box_px = _extents(owners == owner)
            visible = min(1.0, _area(box_px) / max(_area(self._wholes[owner - 1]), 1e-9))
            left, top, right, bottom = (np.array(box_px) / size_px).tolist()
            label = self._labels[owner - 1]
            seen.append(Thing(label, owner - 1, (left, top, right, bottom), visible))
        return tuple(seen)

    def _fill(self, form: Form, corners: Sequence[Point], colour: Colour) -> None:
        super()._fill(form, corners, colour)
        getattr(self._owner_draw, form)(corners, self._owner)
        if self._owner:
            whole = self._wholes[self._owner - 1]
            across, down = zip(*corners, strict=True)
            whole[:] = (
                min(whole[0], *across),
                min(whole[1], *down),
                max(whole[2], *across),
                max(whole[3], *down),
            )


def _extents(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
