# SPDX-License-Identifier: Apache-2.0
"""Colours (8-bit RGB), and functions that shade, mix and vary them."""

from trireel_drawings.painting.dice import Dice

Colour = tuple[int, int, int]

WHITE: Colour = (245, 245, 242)
PAPER: Colour = (226, 222, 212)
GREY: Colour = (140, 142, 146)
STEEL: Colour = (178, 184, 190)
DARK: Colour = (52, 54, 60)
BLACK: Colour = (24, 24, 28)
WOOD: Colour = (150, 104, 62)
PALE_WOOD: Colour = (204, 164, 112)
CARDBOARD: Colour = (190, 146, 94)
WATER: Colour = (120, 190, 230)
GLOW: Colour = (150, 215, 255)
LAMP: Colour = (255, 240, 190)
LEAF: Colour = (62, 132, 62)
RED: Colour = (204, 54, 48)
ORANGE: Colour = (236, 132, 40)
YELLOW: Colour = (240, 200, 60)
BLUE: Colour = (52, 96, 176)

BRIGHT: tuple[Colour, ...] = (
    RED,
    ORANGE,
    YELLOW,
    BLUE,
    (58, 150, 84),
    (132, 74, 160),
    (64, 172, 186),
    (220, 110, 150),
    (240, 240, 236),
)
"""Colours of goods, clothes, cars and signs."""


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (factor < 1) or lighter (factor > 1)."""
    red, green, blue = colour
    return _clip(red * factor), _clip(green * factor), _clip(blue * factor)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the blend with the given share (0..1) of the second colour."""
    red, green, blue = (_clip(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def vary(dice: Dice, colour: Colour, amount: float = 14.0) -> Colour:
    """Return the colour with each channel moved by up to `amount` either way."""
    red, green, blue = (_clip(value + dice.between(-amount, amount)) for value in colour)
    return red, green, blue


def _clip(value: float) -> int:
    return 0 if value < 0 else 255 if value > 255 else int(value)
