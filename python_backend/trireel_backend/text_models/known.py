# SPDX-License-Identifier: Apache-2.0
"""A known picture, and the lines that the models must read in it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_backend.errors import MissingPart

SOURCE = Path(__file__).parent / "files"
"""Folder of the parts that belong to this package."""
PICTURE_FILE, LINES_FILE = "known_text.png", "known_text.json"


@dataclass(frozen=True)
class KnownText:
    """A picture with drawn lines."""

    frame: NDArray[np.uint8]
    """[H, W, 3] RGB, sides in multiples of 32."""
    texts: tuple[str, ...]
    """The lines from the top to the bottom."""
    boxes: NDArray[np.int32]
    """[n, 4] x1 y1 x2 y2 in pixels, around the ink of each line."""


def load_known_text(source: Path = SOURCE) -> KnownText:
    """Read the known picture; raises MissingPart if it cannot be read."""
    try:
        with Image.open(source / PICTURE_FILE) as picture:
            frame = np.asarray(picture.convert("RGB"), np.uint8)
        lines = json.loads((source / LINES_FILE).read_text(encoding="utf-8"))
        boxes = np.array([line["box"] for line in lines], np.int32)
        return KnownText(frame, tuple(str(line["text"]) for line in lines), boxes)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingPart(
            f"the known picture of text cannot be read ({error}): install trireel-backend again"
        ) from error
