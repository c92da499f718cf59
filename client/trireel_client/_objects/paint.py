# SPDX-License-Identifier: Apache-2.0
"""Boxes with labels, painted on a picture."""

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trireel_client._findings import Detection

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

COLOURS = (
    *((230, 60, 60), (60, 150, 240), (70, 190, 90), (245, 170, 40), (170, 90, 220)),
    *((30, 190, 190), (240, 110, 180), (250, 230, 60), (160, 200, 50), (110, 120, 240)),
)
"""Colours of tracks, and of labels without tracks: RGB."""
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
BRIGHT_LUMA = 140
LINES_A_SIDE = 240
LEAST_LINE_PX = 2
TEXTS_A_SIDE = 32
LEAST_TEXT_PX = 12

Colour = tuple[int, int, int]


class Painter:
    """Paints on pictures of one size."""

    def __init__(self, width_px: int, height_px: int) -> None:
        """Choose the width of lines and the size of texts; needs Pillow with FreeType."""
        from PIL import ImageFont

        side_px = min(width_px, height_px)
        self._line_px = max(LEAST_LINE_PX, side_px // LINES_A_SIDE)
        self._font = ImageFont.load_default(max(LEAST_TEXT_PX, side_px // TEXTS_A_SIDE))

    def paint(
        self, picture: NDArray[np.uint8], detections: Sequence[Detection]
    ) -> NDArray[np.uint8]:
        """Return an upright picture [H, W, 3] with a box and a label for each detection.

        The detection with the highest score is painted last, above the others.
        """
        from PIL import Image, ImageDraw

        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        for detection in sorted(detections, key=lambda detection: detection.score):
            self._paint(draw, detection, image.width, image.height)
        return np.asarray(image)

    def _paint(
        self, draw: "ImageDraw", detection: Detection, width_px: int, height_px: int
    ) -> None:
        left, right = (_pixel(detection.box[side], width_px) for side in (0, 2))
        top, bottom = (_pixel(detection.box[side], height_px) for side in (1, 3))
        colour = colour_of(detection)
        draw.rectangle((left, top, right, bottom), outline=colour, width=self._line_px)
        text = text_of(detection)
        _, _, text_width_px, text_height_px = map(
            round, draw.textbbox((0, 0), text, font=self._font)
        )
        plate_width_px = text_width_px + 2 * self._line_px
        plate_height_px = text_height_px + 2 * self._line_px
        # Above the box; inside it if the box begins at the picture's upper edge.
        plate_top = top - plate_height_px if top >= plate_height_px else top
        plate_left = max(0, min(left, width_px - plate_width_px))
        plate = (plate_left, plate_top, plate_left + plate_width_px, plate_top + plate_height_px)
        draw.rectangle(plate, fill=colour)
        place = (plate_left + self._line_px, plate_top + self._line_px)
        draw.text(place, text, fill=_readable_on(colour), font=self._font)


def text_of(detection: Detection) -> str:
    """Return the text at a box: its label, the id of its track, its score."""
    track = "" if detection.track_id is None else f" {detection.track_id}"
    return f"{detection.label}{track}  {detection.score:.0%}"


def colour_of(detection: Detection) -> Colour:
    """Return the colour of a detection: that of its track, or of its label."""
    track = detection.track_id
    number = zlib.crc32(detection.label.encode()) if track is None else track
    return COLOURS[number % len(COLOURS)]


def _pixel(fraction: float, size_px: int) -> int:
    return min(size_px - 1, max(0, round(fraction * size_px)))


def _readable_on(colour: Colour) -> Colour:
    luma = float(np.dot(colour, (0.299, 0.587, 0.114)))
    return BLACK if luma > BRIGHT_LUMA else WHITE
