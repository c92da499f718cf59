# SPDX-License-Identifier: Apache-2.0
"""Figures: people who stand, walk, run, sit and lie.

Positions are in world units; `height` is that of the standing person. `facing` is 1 for right and
-1 for left.
"""

from dataclasses import dataclass, replace
from math import pi, sin

from trireel_drawings.painting.canvas import Pen, Point
from trireel_drawings.painting.colours import BRIGHT, DARK, Colour, shade, vary
from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.things import paints

SKINS: tuple[Colour, ...] = ((244, 208, 178), (222, 172, 130), (168, 114, 78), (110, 72, 52))
HAIRS: tuple[Colour, ...] = ((40, 30, 26), (96, 60, 34), (190, 150, 80), (150, 150, 150))
TROUSERS: tuple[Colour, ...] = ((46, 54, 84), (60, 60, 64), (110, 92, 70), (36, 36, 40))

HEAD = 0.085  # radius of the head; all sizes here are shares of a person's height
NECK = 0.80  # height of the neck above the feet
HIP = 0.47
LIMB = 0.065  # thickness of a leg
STEPS_PER_SECOND = 0.9
STRIDES_PER_SECOND = 1.5  # when running


@dataclass(frozen=True)
class Look:
    """The colours of one person."""

    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    long_hair: bool


def look(dice: Dice) -> Look:
    """Return a random person's colours."""
    return Look(
        dice.pick(SKINS),
        dice.pick(HAIRS),
        vary(dice, dice.pick(BRIGHT)),
        dice.pick(TROUSERS),
        dice.chance(0.4),
    )


def in_uniform(person: Look, top: Colour, trousers: Colour = DARK) -> Look:
    """Return the person in other clothes."""
    return replace(person, top=top, trousers=trousers)


def head(pen: Pen, x: float, y: float, height: float, who: Look, facing: int = 0) -> None:
    """Paint a head around (x, y); facing 0 looks at the camera, 2 away from it."""
    radius = HEAD * height
    if who.long_hair:
        pen.disc(x - 0.25 * radius * (facing % 2) * facing, y + 0.5 * radius, radius, who.hair)
    pen.disc(x, y, radius, who.hair, height=radius * 1.12)
    if facing == 2:
        return
    shift = 0.3 * radius * facing
    pen.disc(x + shift, y + 0.22 * radius, radius * 0.84, who.skin, height=radius * 0.88)
    for side in (-1, 1) if facing == 0 else (facing,):
        pen.disc(x + shift * 1.2 + side * 0.35 * radius, y + 0.2 * radius, radius * 0.13, DARK)


def arm(
    pen: Pen, shoulder: Point, hand: Point, height: float, who: Look, bend: float = 0.05
) -> None:
    """Paint an arm; `bend` lowers the elbow by that share of the height."""
    elbow = ((shoulder[0] + hand[0]) / 2, (shoulder[1] + hand[1]) / 2 + bend * height)
    pen.line((shoulder, elbow, hand), LIMB * 0.85 * height, shade(who.top, 0.86))
    pen.disc(hand[0], hand[1], LIMB * 0.62 * height, who.skin)


def trunk(pen: Pen, neck: Point, hip: Point, height: float, who: Look) -> None:
    """Paint the body from neck to hip."""
    (neck_x, neck_y), (hip_x, hip_y) = neck, hip
    broad, narrow = 0.125 * height, 0.085 * height
    pen.shape(
        (
            (neck_x - broad * 0.6, neck_y),
            (neck_x + broad * 0.6, neck_y),
            (neck_x + broad, neck_y + 0.05 * height),
            (hip_x + narrow, hip_y),
            (hip_x - narrow, hip_y),
            (neck_x - broad, neck_y + 0.05 * height),
        ),
        who.top,
    )


def leg(pen: Pen, points: tuple[Point, Point, Point], height: float, colour: Colour) -> None:
    """Paint a leg from hip over knee to foot, with a shoe."""
    pen.line(points, LIMB * 1.15 * height, colour)
    pen.disc(points[2][0], points[2][1], LIMB * 0.8 * height, DARK, height=LIMB * 0.45 * height)


@paints("person")
def stand(
    pen: Pen,
    x: float,
    y: float,
    height: float,
    who: Look,
    *,
    facing: int = 0,
    hands: tuple[Point, Point] | None = None,
) -> None:
    """Paint somebody standing with the feet at (x, y); hands are offsets from the neck."""
    neck, hip = (x, y - NECK * height), (x, y - HIP * height)
    for side in (-1, 1):
        foot = (x + side * 0.07 * height, y)
        knee = (x + side * 0.06 * height, y - 0.24 * height)
        leg(pen, ((x + side * 0.045 * height, hip[1]), knee, foot), height, who.trousers)
    upper(pen, neck, hip, height, who, facing=facing, hands=hands)


def upper(
    pen: Pen,
    neck: Point,
    hip: Point,
    height: float,
    who: Look,
    *,
    facing: int = 0,
    hands: tuple[Point, Point] | None = None,
) -> None:
    """Paint body, head and arms; hands are offsets from the neck, by default hanging down."""
    trunk(pen, neck, hip, height, who)
    head(
        pen,
        neck[0] + 0.03 * height * (facing % 2) * facing,
        neck[1] - 0.09 * height,
        height,
        who,
        facing,
    )
    offsets = hands or ((-0.15 * height, 0.36 * height), (0.15 * height, 0.36 * height))
    for side, (dx, dy) in zip((-1, 1), offsets, strict=True):
        shoulder = (neck[0] + side * 0.105 * height, neck[1] + 0.05 * height)
        arm(pen, shoulder, (neck[0] + dx, neck[1] + dy), height, who)


@paints("person")
def walk(
    pen: Pen,
    x: float,
    y: float,
    height: float,
    who: Look,
    *,
    facing: int = 1,
    phase: float = 0.0,
    hands: tuple[Point, Point] | None = None,
) -> None:
    """Paint somebody walking upright in long trousers; `phase` in turns of the gait."""
    swing = sin(2 * pi * (pen.t * STEPS_PER_SECOND + phase))
    neck, hip = (x + 0.01 * height * facing, y - NECK * height), (x, y - HIP * height)
    for side in (-1, 1):
        foot = (x + side * swing * 0.13 * height, y)
        knee = (x + side * swing * 0.07 * height + 0.02 * height * facing, y - 0.24 * height)
        leg(pen, (hip, knee, foot), height, shade(who.trousers, 1.0 if side > 0 else 0.8))
    reach = swing * 0.12 * height
    offsets = hands or ((reach, 0.33 * height), (-reach, 0.33 * height))
    upper(pen, neck, hip, height, who, facing=facing, hands=offsets)


@paints("person")
def run(
    pen: Pen,
    x: float,
    y: float,
    height: float,
    who: Look,
    *,
    facing: int = 1,
    phase: float = 0.0,
) -> None:
    """Paint somebody running: leaning forward, knees and elbows bent, in short trousers."""
    swing = sin(2 * pi * (pen.t * STRIDES_PER_SECOND + phase))
    y -= 0.03 * height * abs(swing)
    neck, hip = (x + 0.13 * height * facing, y - 0.78 * height), (x, y - HIP * height)
    for side in (-1, 1):
        way = side * swing
        knee = (x + (0.10 + 0.12 * way) * height * facing, y - 0.25 * height)
        foot = (x + (-0.10 + 0.26 * way) * height * facing, y - (0.08 - 0.06 * way) * height)
        pen.line((hip, knee), LIMB * 1.35 * height, who.trousers)
        leg(pen, (knee, knee, foot), height, who.skin)
    trunk(pen, neck, hip, height, who)
    head(pen, neck[0] + 0.04 * height * facing, neck[1] - 0.09 * height, height, who, facing)
    for side in (-1, 1):
        shoulder = (neck[0], neck[1] + 0.06 * height)
        elbow = (neck[0] + (-0.12 + 0.1 * side * swing) * height * facing, neck[1] + 0.2 * height)
        hand = (elbow[0] + 0.17 * height * facing, elbow[1] - 0.05 * height)
        pen.line((shoulder, elbow, hand), LIMB * 0.85 * height, who.skin)


@paints("person")
def sit(
    pen: Pen,
    x: float,
    y: float,
    height: float,
    who: Look,
    *,
    facing: int = 1,
    hands: tuple[Point, Point] | None = None,
) -> None:
    """Paint somebody sitting in profile, the seat at (x, y)."""
    neck, hip = (x + 0.02 * height * facing, y - 0.34 * height), (x, y)
    knee = (x + 0.25 * height * facing, y - 0.02 * height)
    foot = (x + 0.27 * height * facing, y + 0.25 * height)
    leg(pen, (hip, knee, foot), height, who.trousers)
    reach = hands or (
        (0.2 * height * facing, 0.28 * height),
        (0.24 * height * facing, 0.3 * height),
    )
    upper(pen, neck, hip, height, who, facing=facing, hands=reach)


@paints("person")
def bust(
    pen: Pen,
    x: float,
    y: float,
    height: float,
    who: Look,
    *,
    facing: int = 0,
    hands: tuple[Point, Point] | None = None,
) -> None:
    """Paint somebody sitting behind a table whose edge is at y, or with facing 2 from behind."""
    upper(
        pen, (x, y - 0.25 * height), (x, y + 0.08 * height), height, who, facing=facing, hands=hands
    )


@paints("person")
def lie(pen: Pen, x: float, y: float, height: float, who: Look, *, facing: int = 1) -> None:
    """Paint somebody lying on the back, the head at (x, y) and the feet towards `facing`."""
    reach = height * facing
    hip = (x + 0.48 * reach, y + 0.02 * height)
    for lift in (0.0, 0.13 + 0.01 * sin(pen.t)):
        knee = (x + 0.72 * reach, y - lift * height)
        leg(pen, (hip, knee, (x + 0.93 * reach, y + 0.03 * height)), height, who.trousers)
    pen.line(((x + 0.14 * reach, y), hip), 0.19 * height, who.top)
    head(pen, x, y - 0.01 * height, height, who, 0)
    arm(pen, (x + 0.16 * reach, y), (x + 0.4 * reach, y - 0.05 * height), height, who)
