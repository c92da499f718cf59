# SPDX-License-Identifier: Apache-2.0
"""Changes of a finished picture that are no cuts: flashes, text, changing light."""

from collections.abc import Callable, Sequence
from math import exp, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.uint8]
Effect = Callable[[Picture, float], Picture]


def brighten(picture: Picture, gain: float, offset: float = 0.0) -> Picture:
    """Return the frame times a gain plus an offset in 8-bit steps."""
    return np.clip(picture.astype(np.float32) * gain + offset + 0.5, 0, 255).astype(np.uint8)


def flash(at_seconds: float, seconds: float, strength: float) -> Effect:
    """Return a flash: white light that begins at a time and dies down.

    Args:
        at_seconds: Time of the first bright frame.
        seconds: Duration of the light.
        strength: Part of white at the first frame, in (0, 1].
    """

    def apply(picture: Picture, t: float) -> Picture:
        age = t - at_seconds
        if not -1e-6 <= age < seconds:
            return picture
        light = strength * exp(-2.0 * max(0.0, age) / seconds)
        return brighten(picture, 1 + light, 200 * light)

    return apply


def exposure(first_seconds: float, seconds: float, before: float, after: float) -> Effect:
    """Return a change of the gain from one value to another within some seconds."""

    def apply(picture: Picture, t: float) -> Picture:
        way = min(1.0, max(0.0, (t - first_seconds) / seconds))
        gain = before + (after - before) * way
        return picture if gain == 1.0 else brighten(picture, gain)

    return apply


def flicker(amount: float, period_seconds: float) -> Effect:
    """Return lamps whose light swings by some part of the gain."""

    def apply(picture: Picture, t: float) -> Picture:
        return brighten(picture, 1 + amount * sin(2 * pi * t / period_seconds))

    return apply


def caption(
    text: str, begin_seconds: float, end_seconds: float, where: tuple[float, float]
) -> Effect:
    """Return a text on a dark bar that comes and goes at once, at a part of width and height."""

    def apply(picture: Picture, t: float) -> Picture:
        if not begin_seconds <= t < end_seconds:
            return picture
        image = Image.fromarray(picture)
        pen = ImageDraw.Draw(image, "RGBA")
        width, height = image.size
        x, y = where[0] * width, where[1] * height
        box = pen.textbbox((x, y), text, font_size=height // 14)
        pen.rectangle((box[0] - 8, box[1] - 6, box[2] + 8, box[3] + 6), fill=(20, 24, 40, 210))
        pen.text((x, y), text, fill=(250, 250, 235, 255), font_size=height // 14)
        return np.asarray(image)

    return apply


def bars(part: float) -> Effect:
    """Return black bars above and below, each a part of the height."""

    def apply(picture: Picture, t: float) -> Picture:
        rows = round(part * picture.shape[0])
        framed = picture.copy()
        framed[:rows] = framed[picture.shape[0] - rows :] = 0
        return framed

    return apply


def grain(amount: int, seed: int) -> Effect:
    """Return the noise of a sensor: each value changes by up to `amount` 8-bit steps."""

    def apply(picture: Picture, t: float) -> Picture:
        generator = np.random.Generator(np.random.PCG64((seed, round(t * 1000))))
        noise = generator.integers(-amount, amount + 1, size=picture.shape, dtype=np.int16)
        return np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)

    return apply


def chain(effects: Sequence[Effect], picture: Picture, t: float) -> Picture:
    """Return the frame after all effects."""
    for effect in effects:
        picture = effect(picture, t)
    return picture
