# SPDX-License-Identifier: Apache-2.0
"""Things on wheels, all standing on the line y with x in their middle."""

from collections.abc import Sequence

from trireel_drawings.painting.canvas import Pen, Point
from trireel_drawings.painting.colours import (
    BLACK,
    BRIGHT,
    DARK,
    LAMP,
    RED,
    STEEL,
    WHITE,
    Colour,
    shade,
)
from trireel_drawings.painting.things import paints

WINDOW: Colour = (150, 190, 210)

# Offsets from the middle of the lower edge: x in lengths (or widths), y in heights of the vehicle.
CAR_ROOF = ((-0.34, -0.55), (-0.2, -1.0), (0.16, -1.0), (0.32, -0.55))
CAR_WINDOWS = (
    ((-0.28, -0.57), (-0.18, -0.93), (-0.03, -0.93), (-0.03, -0.57)),
    ((0.01, -0.57), (0.01, -0.93), (0.14, -0.93), (0.25, -0.57)),
)
CAR_LAMPS = (
    (((0.38, -0.5), (0.5, -0.5), (0.5, -0.37), (0.38, -0.37)), LAMP),
    (((-0.5, -0.5), (-0.43, -0.5), (-0.43, -0.37), (-0.5, -0.37)), RED),
)
FRONT_ROOF = ((-0.45, -0.6), (-0.3, -1.0), (0.3, -1.0), (0.45, -0.6))
FRONT_WINDOW = ((-0.35, -0.62), (-0.25, -0.92), (0.25, -0.92), (0.35, -0.62))

CART_BASKET = ((-0.9, -1.7), (1.0, -1.5), (0.8, -0.7), (-0.6, -0.7))
CART_FRAME = ((-1.2, -1.85), (-0.85, -1.65), (-0.55, -0.35), (0.8, -0.35))


def car(pen: Pen, x: float, y: float, length: float, colour: Colour, facing: int = 1) -> None:
    """Paint a car from its side."""
    tall, half = 0.3 * length, length / 2
    pen.disc(x, y, half * 1.02, (44, 44, 48), height=0.1 * tall)
    with pen.thing("car"):
        _car_side(pen, x, y, length, colour, facing)


def _car_side(pen: Pen, x: float, y: float, length: float, colour: Colour, facing: int) -> None:
    tall, half = 0.3 * length, length / 2

    def part(points: Sequence[Point], paint: Colour) -> None:
        pen.shape(_scaled(points, length, tall), paint, at=(x, y), facing=facing)

    part(CAR_ROOF, shade(colour, 0.9))
    for pane in CAR_WINDOWS:
        part(pane, WINDOW)
    pen.box(x - half, y - 0.58 * tall, length, 0.4 * tall, colour)
    for lamp, light in CAR_LAMPS:
        part(lamp, light)
    for wheel in (x - 0.29 * length, x + 0.29 * length):
        pen.disc(wheel, y - 0.15 * tall, 0.085 * length, BLACK)
        pen.disc(wheel, y - 0.15 * tall, 0.04 * length, STEEL)


@paints("car")
def car_end(pen: Pen, x: float, y: float, width: float, colour: Colour) -> None:
    """Paint a parked car from its front."""
    half, tall = width / 2, width * 0.75
    for wheel in (x - half * 0.9, x + half * 0.5):
        pen.box(wheel, y - 0.3 * tall, 0.4 * half, 0.3 * tall, BLACK)
    pen.shape(_scaled(FRONT_ROOF, width, tall), shade(colour, 0.85), at=(x, y))
    pen.shape(_scaled(FRONT_WINDOW, width, tall), WINDOW, at=(x, y))
    pen.box(x - half, y - 0.6 * tall, width, 0.42 * tall, colour)
    for lamp in (x - half * 0.92, x + half * 0.52):
        pen.box(lamp, y - 0.52 * tall, 0.4 * half, 0.12 * tall, LAMP)
    pen.box(x - half * 0.35, y - 0.34 * tall, half * 0.7, 0.13 * tall, WHITE)


@paints("bus")
def bus(pen: Pen, x: float, y: float, colour: Colour) -> None:
    """Paint a bus from its side."""
    pen.box(x - 3.6, y - 3.0, 7.2, 2.7, colour)
    for pane in range(6):
        pen.box(x - 3.4 + pane * 1.15, y - 2.7, 0.95, 1.0, WINDOW)
    pen.box(x - 3.6, y - 1.3, 7.2, 0.16, WHITE)
    for wheel in (-2.4, 2.2):
        pen.disc(x + wheel, y - 0.3, 0.5, DARK)
        pen.disc(x + wheel, y - 0.3, 0.22, STEEL)


@paints("cart")
def cart(pen: Pen, x: float, y: float, facing: int) -> None:
    """Paint a shopping cart full of goods, its handle away from `facing`."""
    pen.shape(CART_BASKET, STEEL, at=(x, y), facing=facing)
    for step in range(4):
        top = y - 1.95 + 0.1 * (step % 2)
        pen.box(x - 0.65 + step * 0.4, top, 0.36, 0.6, pen.dice.pick(BRIGHT))
    for step in range(5):
        wire = ((-0.7 + 0.38 * step, -1.6), (-0.5 + 0.3 * step, -0.7))
        pen.line(wire, 0.06, DARK, at=(x, y), facing=facing)
    pen.line(CART_FRAME, 0.1, RED, at=(x, y), facing=facing)
    for wheel in (-0.5, 0.7):
        pen.disc(x + facing * wheel, y - 0.13, 0.15, BLACK)


def _scaled(points: Sequence[Point], width: float, height: float) -> list[Point]:
    return [(x * width, y * height) for x, y in points]
