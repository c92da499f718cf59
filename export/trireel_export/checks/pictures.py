# SPDX-License-Identifier: Apache-2.0
"""The pictures and sentences that every export is checked with, always the same.

The pictures are patterns, photographs and drawn places. None is square: a square picture would not
show a processor that crops instead of squashing.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SEED = 20
PHOTOS = Path(__file__).parent / "photos"
DRAWN = Path(__file__).parent / "drawn"

SENTENCES = (
    "kitchen",
    "A person cooking at a stove",
    "a photo of a cat.",
    "Two dogs, one ball -- and a (very) happy child!",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
    "It's 5 o'clock; she said: \"don't stop?\"",
    "room 101, 24/7, 3.14159 and 1,000,000",
    "Café Zürich: crème brûlée, jalapeño & smørrebrød",
    "naïve e\u0301te\u0301 written with combining accents",
    "a surfer 🏄 on a wave 🌊🌊",
    "👩‍👩‍👧‍👦 a family of four 🇨🇭",
    "東京の駅で電車を待つ人々",
    "люди идут по улице",
    "\uff26\uff35\uff2c\uff2c\u3000\uff37\uff29\uff24\uff34\uff28 letters\uff01",
    "  leading,\ttabs\nand  trailing   spaces  ",
    "e-mail me@example.org or see https://example.org/a_b?c=d#e",
    "snake_case, kebab-case, CamelCase and #hashtags @mentions",
    "#$%&*+/<=>@\\^_`{|}~ between two words ...",
    "x",
    "!?",
    "",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "a very long description of a crowded street " * 12 + "that ends here",
    "ﬁne ligatures, ½ a cup, x² and 20 °C",
)


def verification_pictures() -> dict[str, Image.Image]:
    """Return the pictures by name: RGB, none square, the same on every machine."""
    patterns = {
        name: Image.fromarray(draw(np.random.default_rng(SEED))) for name, draw in _PATTERNS.items()
    }
    return patterns | _files("photo", PHOTOS.glob("*.jpg")) | _files("drawn", DRAWN.glob("*.png"))


def resized(picture: Image.Image, side_px: int, resample: Image.Resampling) -> NDArray[np.uint8]:
    """Squash a picture to uint8 [side_px, side_px, 3], as a server's decoder does."""
    return np.asarray(picture.resize((side_px, side_px), resample), np.uint8)


def _files(kind: str, paths: Iterable[Path]) -> dict[str, Image.Image]:
    return {
        f"{kind}, {path.stem.replace('_', ' ')}": Image.open(path).convert("RGB")
        for path in sorted(paths)
    }


def _pixels(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)


def _gradient(height: int, width: int) -> NDArray[np.uint8]:
    down = np.linspace(0, 255, height)[:, None].repeat(width, axis=1)
    across = np.linspace(255, 0, width)[None].repeat(height, axis=0)
    return _pixels(np.stack([down, across, (down + across) / 2], axis=-1))


def _noise(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def _checkers(height: int, width: int, cell_px: int) -> NDArray[np.uint8]:
    rows, columns = np.arange(height)[:, None] // cell_px, np.arange(width)[None] // cell_px
    odd = ((rows + columns) % 2).astype(bool)[..., None]
    return _pixels(np.where(odd, (250, 240, 40), (20, 10, 160)))


def _rings(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    wave = np.sin(20 * np.hypot(x, y)) / 2 + 0.5
    return _pixels(wave[..., None] * np.array((255, 120, 60)))


def _clouds(
    rng: np.random.Generator, height: int, width: int, light: float = 1.0
) -> NDArray[np.uint8]:
    """Noise whose strength falls with frequency, as in photographs."""
    y, x = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    fall = 1 / np.maximum(np.hypot(y, x), 1 / max(height, width))
    noise = rng.normal(size=(3, height, width))
    picture = np.fft.ifft2(np.fft.fft2(noise) * fall).real.transpose(1, 2, 0)
    picture = (picture - picture.min()) / (picture.max() - picture.min())
    return _pixels(255 * light * picture)


def _shapes(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (width, height), (200, 220, 235))
    pen = ImageDraw.Draw(picture)
    for draw in (pen.rectangle, pen.ellipse) * 6:
        left, top = int(rng.integers(0, width - 20)), int(rng.integers(0, height - 20))
        box = (left, top, left + int(rng.integers(10, width)), top + int(rng.integers(10, height)))
        draw(box, fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    return np.asarray(picture, np.uint8)


def _street(height: int, width: int) -> NDArray[np.uint8]:
    picture = Image.fromarray(_gradient(height, width))
    pen = ImageDraw.Draw(picture)
    horizon, middle = height // 2, width // 2
    pen.polygon([(0, height), (middle, horizon), (width, height)], fill=(70, 70, 75))
    for side in (0, width * 3 // 4):
        pen.rectangle((side, height // 6, side + width // 4, height * 4 // 5), fill=(150, 90, 60))
        for floor in range(height // 5, height * 3 // 4, 24):
            pen.rectangle((side + 8, floor, side + 24, floor + 14), fill=(250, 240, 170))
    pen.ellipse((middle - 30, horizon + 20, middle + 30, horizon + 60), fill=(180, 20, 30))
    return np.asarray(picture, np.uint8)


def _writing(height: int, width: int) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    for top in range(4, height - 12, 14):
        pen.text((6, top), "the same words on every line " * 4, fill="black")
    return np.asarray(picture, np.uint8)


_PATTERNS: Mapping[str, Callable[[np.random.Generator], NDArray[np.uint8]]] = {
    "gradient, wide": lambda rng: _gradient(360, 640),
    "gradient, tall": lambda rng: _gradient(640, 360)[::-1],
    "gradient, panorama": lambda rng: _gradient(60, 900),
    "noise": lambda rng: _noise(rng, 240, 320),
    "noise, smaller than the tower": lambda rng: _noise(rng, 20, 30),
    "checkers": lambda rng: _checkers(480, 640, 40),
    "checkers, fine": lambda rng: _checkers(300, 500, 3),
    "rings": lambda rng: _rings(480, 270),
    "rings, wide": lambda rng: _rings(200, 700),
    "clouds": lambda rng: _clouds(rng, 480, 854),
    "clouds, night": lambda rng: _clouds(rng, 270, 480, light=0.15),
    "clouds, tall": lambda rng: _clouds(rng, 512, 288)[..., ::-1],
    "shapes": lambda rng: _shapes(rng, 360, 480),
    "shapes, tall": lambda rng: _shapes(rng, 500, 200),
    "street": lambda rng: _street(405, 720),
    "writing": lambda rng: _writing(320, 420),
}
