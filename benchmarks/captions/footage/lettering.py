# SPDX-License-Identifier: Apache-2.0
"""Letters over a picture: fonts, outlines, boxes, shadows, and how they are mixed in."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Style:
    """How a text looks."""

    font: Path
    """File of the font."""
    size_px: int
    """Size of the font."""
    colour: Colour = (255, 255, 255)
    outline_px: int = 0
    """Width of a black outline; 0 for none."""
    shadow_px: int = 0
    """Distance of a black shadow to the right and below; 0 for none."""
    bar_opacity: float = 0.0
    """Opacity of a black box behind the text, 0 to 1."""

    @cached_property
    def face(self) -> ImageFont.FreeTypeFont:
        """The font in its size."""
        return ImageFont.truetype(self.font, self.size_px)

    def width_px(self, text: str) -> float:
        """Return the width of the longest line."""
        return max(self.face.getlength(line) for line in text.split("\n")) + 2 * self.outline_px


@dataclass(frozen=True)
class Lettering:
    """A text at its place in pictures of one size."""

    text: str
    """Lines, separated by line ends."""
    style: Style
    at: tuple[float, float]
    """Middle of the text's lower edge, as parts of width and height."""
    size_px: tuple[int, int]
    """(width, height) of the pictures."""

    @cached_property
    def box(self) -> Box:
        """x1, y1, x2, y2 in pixels around the ink of the letters, without shadow and bar."""
        pen = ImageDraw.Draw(Image.new("L", self.size_px))
        left, top, right, bottom = pen.multiline_textbbox(self._place, self.text, **self._options)
        return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))

    def over(self, picture: Picture, opacity: float = 1.0) -> Picture:
        """Return the picture with the text over it, at an opacity of 0 to 1."""
        (left, top), layer = self._layer
        rows, columns = layer.shape[:2]
        lettered = picture.copy()
        below = lettered[top : top + rows, left : left + columns].astype(np.float32)
        mask = layer[..., 3:] * (opacity / 255)
        mixed = below + (layer[..., :3] - below) * mask
        lettered[top : top + rows, left : left + columns] = np.rint(mixed).astype(np.uint8)
        return lettered

    @property
    def _place(self) -> tuple[float, float]:
        return self.at[0] * self.size_px[0], self.at[1] * self.size_px[1]

    @property
    def _options(self) -> dict[str, object]:
        style = self.style
        return {
            "font": style.face, "anchor": "md", "align": "center",
            "stroke_width": style.outline_px, "spacing": style.size_px // 5,
        }  # fmt: skip

    @cached_property
    def _layer(self) -> tuple[tuple[int, int], NDArray[np.float32]]:
        """Place and RGBA of the part of the picture that changes."""
        style, image = self.style, Image.new("RGBA", self.size_px)
        pen, (x, y) = ImageDraw.Draw(image), self._place
        left, top, right, bottom = self.box
        if style.bar_opacity:
            pad = style.size_px // 3
            edges = (left - pad, top - pad, right + pad, bottom + pad)
            pen.rectangle(edges, fill=(0, 0, 0, round(255 * style.bar_opacity)))
        if style.shadow_px:
            place = (x + style.shadow_px, y + style.shadow_px)
            pen.multiline_text(place, self.text, fill=(0, 0, 0, 255), **self._options)
        pen.multiline_text(
            (x, y), self.text, fill=(*style.colour, 255), stroke_fill=(0, 0, 0), **self._options
        )
        left, top, right, bottom = image.getbbox() or (0, 0, 1, 1)
        return (left, top), np.asarray(image.crop((left, top, right, bottom)), np.float32)
