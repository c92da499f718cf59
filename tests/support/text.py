# SPDX-License-Identifier: Apache-2.0
"""The models that read text as the set-up made them, their wheels, and pictures of lines."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trireel_backend.text_models.files import check_models, default_folder

GREY = (70, 90, 110)


def text_folder() -> Path:
    """Return the models' folder; the tests' environment has it."""
    check_models(default_folder())
    return default_folder()


def published_wheels() -> list[Path]:
    """Return the wheels, which the set-up of the tests' environment keeps."""
    return sorted(default_folder().parent.glob("rapidocr*.whl"))


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans."""
    import matplotlib  # it brings DejaVu, which the tests' environment has on every machine

    return ImageFont.truetype(
        Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", size_px
    )


def lettered(
    size_px: tuple[int, int], lines: Sequence[tuple[tuple[int, int], str, int]]
) -> NDArray[np.uint8]:
    """Return a grey picture [H, W, 3] with white lines, each (left, top), text, size of the font.

    Args:
        size_px: (width, height).
    """
    image = Image.new("RGB", size_px, GREY)
    pen = ImageDraw.Draw(image)
    for place, text, font_px in lines:
        pen.text(place, text, font=font(font_px), fill="white", stroke_width=1, stroke_fill=0)
    return np.asarray(image, np.uint8)
