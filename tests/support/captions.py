# SPDX-License-Identifier: Apache-2.0
"""Drawn captions over moving backgrounds, as frames of a region."""

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trireel_backend.captions.stretch import Stretch, moments, sampled
from trireel_backend.captions.tracking import Found, FoundText

SIZE_PX = (480, 96)
FPS = 30
BOX = np.array([60, 30, 420, 66], np.int32)
"""Box around one line of text."""


def lettered(
    background: NDArray[np.uint8], text: str, opacity: float = 1.0, font_px: int = 26
) -> NDArray[np.uint8]:
    """Return a frame with white, outlined text in the middle of `BOX`."""
    plain = Image.fromarray(background)
    written = plain.copy()
    centre = tuple((BOX[:2] + BOX[2:]) / 2)
    font = ImageFont.load_default(font_px)
    ImageDraw.Draw(written).text(
        centre, text, "white", font, anchor="mm", stroke_width=2, stroke_fill="black"
    )
    return np.asarray(Image.blend(plain, written, opacity))


def moving_background(frame: int) -> NDArray[np.uint8]:
    """Return stripes and spots that move some pixels a frame."""
    width, height = SIZE_PX
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    stripes = ((columns + 5 * frame) // 16 + (rows + 2 * frame) // 12) % 2
    shade = 90 + 60 * stripes
    return np.stack([shade, shade // 2 + 40, 200 - shade], axis=-1).astype(np.uint8)


def still_background(_: int) -> NDArray[np.uint8]:
    """Return stripes that stand still."""
    return moving_background(0)


def stretch_of(
    shown: Callable[[int], tuple[str, float]],
    count: int,
    *,
    background: Callable[[int], NDArray[np.uint8]] = moving_background,
    samples_fps: float = 10.0,
) -> Stretch:
    """Return frames at 30 fps; `shown` tells the text and the opacity of each."""
    frames = [lettered(background(frame), *shown(frame)) for frame in range(count)]
    times = moments(np.arange(count), Fraction(1, FPS))
    chosen = list(sampled([time.seconds for time in times], 0.0, samples_fps, None))
    return Stretch(frames, times, chosen)


def found_at(samples: Sequence[int], box: NDArray[np.int32] = BOX) -> Found:
    """Return that a detector found one box in some samples."""
    return {sample: FoundText(box[None], np.ones(1, np.float32)) for sample in samples}


def text_model(model: str, arrays: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.generic]]:
    """Answer as a model that reads text: each frame that is not black has one line, "aa"."""
    if model == "text_detector":
        frames = arrays["FRAMES"]
        found = np.zeros(frames.shape[:3], np.uint8)
        rows, columns = frames.shape[1] // 4, frames.shape[2] // 4
        found[:, rows : 2 * rows, columns : 3 * columns] = 255
        return {"TEXT_MAP": found * (frames.max(axis=(1, 2, 3)) > 20)[:, None, None]}
    lines = arrays["LINES"]
    codes = np.zeros((len(lines), lines.shape[2] // 8), np.int32)
    codes[:, 0] = codes[:, 2] = 1
    return {"CODES": codes, "CODE_SCORES": np.ones(codes.shape, np.float32)}
