# SPDX-License-Identifier: Apache-2.0
"""The view of a frame: the whole picture or a region of it, and its size."""

import math
from dataclasses import dataclass
from fractions import Fraction

from trireel_backend.errors import InvalidInput

ROUNDING = 1e-6  # of fractions sent as FP32, such as 0.7 + 0.3


Shown = tuple[float, float, float, float]
"""Left, top, width and height of a part of the upright picture, as fractions of its sides."""
WHOLE: Shown = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Region:
    """A rectangle of whole pixels."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Crop:
    """A rectangle of the upright picture, in fractions of its sides or in pixels."""

    left: float
    top: float
    width: float
    height: float
    in_pixels: bool = False

    def __post_init__(self) -> None:
        name, unit, most = ("CROP_PX", "pixels", None) if self.in_pixels else ("CROP", "", 1.0)
        sides = (self.left, self.top, self.width, self.height)
        ends = (self.left + self.width, self.top + self.height)
        inside = most is None or max(ends) <= most + ROUNDING
        sound = all(map(math.isfinite, sides)) and inside
        if not (sound and min(self.left, self.top) >= 0 and min(self.width, self.height) > 0):
            allowed = f"in {unit}" if unit else "as fractions of the picture, inside 0 to 1"
            raise InvalidInput(
                f"{name} is {self}: give left, top, width and height {allowed}, the sides above 0"
            )

    def __str__(self) -> str:
        sides = (self.left, self.top, self.width, self.height)
        return f"[{', '.join(str(v) if self.in_pixels else f'{v:g}' for v in sides)}]"

    def region(self, width_px: int, height_px: int) -> Region:
        """Return the region in an upright picture of this size; raises InvalidInput.

        A crop in fractions includes each pixel that lies mostly inside it, and at least one pixel.
        """
        if not self.in_pixels:
            left, right = round(self.left * width_px), round((self.left + self.width) * width_px)
            top, bottom = round(self.top * height_px), round((self.top + self.height) * height_px)
            left, top = min(left, width_px - 1), min(top, height_px - 1)
            return Region(left, top, max(1, right - left), max(1, bottom - top))
        region = Region(int(self.left), int(self.top), int(self.width), int(self.height))
        beyond_right = region.left_px + region.width_px > width_px
        if beyond_right or region.top_px + region.height_px > height_px:
            raise InvalidInput(
                f"CROP_PX is {self}, which is not inside the upright picture of {width_px} x"
                f" {height_px}"
            )
        return region


@dataclass(frozen=True)
class View:
    """Size and crop of the pictures that are drawn from frames."""

    width_px: int
    """Width of the picture in pixels."""
    height_px: int
    """Height of the picture in pixels."""
    crop: Crop | None = None
    """Region of the upright picture, None for the whole frame."""
    is_rough: bool = False
    """True to draw from a few pixels of the frame, which is cheap; False to scale bicubically."""
    keeps_aspect: bool = False
    """True to draw the region into the top left corner, as large as fits, with black bars; False to
    squash it to the size of the picture."""

    @classmethod
    def square(cls, size_px: int, crop: Crop | None = None) -> "View":
        """Return the view of a square picture."""
        return cls(size_px, size_px, crop)

    @property
    def frame_bytes(self) -> int:
        """Size of one picture in bytes."""
        return self.width_px * self.height_px * 3

    def drawn_size_px(
        self, width_px: int, height_px: int, pixel_aspect: Fraction
    ) -> tuple[int, int]:
        """Return the width and height that the region is drawn with; the rest is black.

        Args:
            width_px, height_px: size of the upright picture in stored pixels.
            pixel_aspect: width of a pixel of the upright picture divided by its height.
        """
        if not self.keeps_aspect:
            return self.width_px, self.height_px
        region = self._region(width_px, height_px)
        width, height = region.width_px * pixel_aspect, Fraction(region.height_px)
        scale = min(self.width_px / width, self.height_px / height)
        drawn_px = (max(1, round(width * scale)), max(1, round(height * scale)))
        return min(drawn_px[0], self.width_px), min(drawn_px[1], self.height_px)

    def shown(self, width_px: int, height_px: int, pixel_aspect: Fraction) -> Shown:
        """Return the part of an upright picture that the view shows, as fractions of its sides.

        With bars, the part reaches beyond the picture. The arguments are those of `drawn_size_px`.
        """
        region = self._region(width_px, height_px)
        drawn_px = self.drawn_size_px(width_px, height_px, pixel_aspect)
        return (
            region.left_px / width_px,
            region.top_px / height_px,
            region.width_px / width_px * self.width_px / drawn_px[0],
            region.height_px / height_px * self.height_px / drawn_px[1],
        )

    def _region(self, width_px: int, height_px: int) -> Region:
        if self.crop is None:
            return Region(0, 0, width_px, height_px)
        return self.crop.region(width_px, height_px)

    def shape(self, count: int) -> tuple[int, int, int, int]:
        """Return the shape of an array of pictures, (count, height, width, 3)."""
        return count, self.height_px, self.width_px, 3


def turned_back(region: Region, quarters: int, width_px: int, height_px: int) -> Region:
    """Return the region of the stored frame that corresponds to a region of the upright picture.

    Args:
        quarters: right angles, counter-clockwise, that make the stored frame upright.
        width_px, height_px: size of the stored frame.
    """
    right_px = region.left_px + region.width_px
    bottom_px = region.top_px + region.height_px
    match quarters % 4:
        case 1:
            corner = (width_px - bottom_px, region.left_px)
        case 2:
            corner = (width_px - right_px, height_px - bottom_px)
        case 3:
            corner = (region.top_px, height_px - right_px)
        case _:
            corner = (region.left_px, region.top_px)
    if quarters % 2:
        return Region(*corner, region.height_px, region.width_px)
    return Region(*corner, region.width_px, region.height_px)
