# SPDX-License-Identifier: Apache-2.0
"""Activities of one person, most of them in more than one place.

Every function here returns an act: a function that paints people, and the things in their hands,
onto a place that has been painted already.
"""

from collections.abc import Callable

from trireel_drawings.figures.people import in_uniform, lie, look, run, sit, stand, walk
from trireel_drawings.figures.props import carton, cup, laptop, table, tray
from trireel_drawings.figures.vehicles import cart
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import (
    BRIGHT,
    DARK,
    PALE_WOOD,
    WATER,
    WHITE,
    Colour,
    vary,
)
from trireel_drawings.painting.motion import pace, sway

Act = Callable[[Pen], None]
"""Function that paints one activity."""

WALKING_SPEED = 0.75  # world units a second
RUNNING_SPEED = 2.2


def no_people(pen: Pen) -> None:
    """Paint nothing: the place is empty."""


def walker(y: float, height: float, low: float = 3.0, high: float = 13.0) -> Act:
    """Return one person strolling to and fro between two x, the feet at y."""
    return _mover(walk, WALKING_SPEED, y, height, low, high)


def runner(y: float, height: float, low: float = 3.0, high: float = 13.0) -> Act:
    """Return one person running to and fro between two x, the feet at y."""
    return _mover(run, RUNNING_SPEED, y, height, low, high)


def _mover(
    gait: Callable[..., None], speed: float, y: float, height: float, low: float, high: float
) -> Act:
    def act(pen: Pen) -> None:
        who = look(pen.dice)
        spot = pace(pen.t, low, high, speed, pen.dice.roll())
        size = height * pen.dice.between(0.92, 1.08)
        shadow(pen, spot.x, y, size)
        gait(pen, spot.x, y, size, who, facing=spot.facing, phase=pen.dice.roll())

    return act


def carrier(y: float, height: float, low: float = 3.5, high: float = 12.5) -> Act:
    """Return one person carrying a large carton to and fro, the feet at y."""

    def act(pen: Pen) -> None:
        who = look(pen.dice)
        spot = pace(pen.t, low, high, WALKING_SPEED * 0.8, pen.dice.roll())
        reach = spot.facing * 0.3 * height
        shadow(pen, spot.x, y, height)
        walk(
            pen,
            spot.x,
            y,
            height,
            who,
            facing=spot.facing,
            phase=pen.dice.roll(),
            hands=((reach, 0.24 * height), (reach, 0.27 * height)),
        )
        box_y = y - 0.5 * height + sway(pen.t, 0.6, 0.02 * height)
        carton(pen, spot.x + spot.facing * 0.33 * height, box_y, 0.5 * height, 0.42 * height)

    return act


def shopper(y: float, height: float, low: float = 4.0, high: float = 12.0) -> Act:
    """Return one person pushing a filled cart to and fro, the feet at y."""

    def act(pen: Pen) -> None:
        who = look(pen.dice)
        spot = pace(pen.t, low, high, WALKING_SPEED, pen.dice.roll())
        reach = spot.facing * 0.24 * height
        shadow(pen, spot.x + spot.facing, y, height * 1.5)
        walk(
            pen,
            spot.x,
            y,
            height,
            who,
            facing=spot.facing,
            phase=pen.dice.roll(),
            hands=((reach, 0.22 * height), (reach, 0.25 * height)),
        )
        cart(pen, spot.x + spot.facing * 2.2, y + 0.1, spot.facing)

    return act


def typist(x: float, y: float, height: float = 5.0, *, desk: Colour = PALE_WOOD) -> Act:
    """Return somebody typing on a laptop at a desk whose top is at y, seen from the side."""

    def act(pen: Pen) -> None:
        who = look(pen.dice)
        left = x + pen.dice.between(-0.5, 0.5)
        tap = sway(pen.t, 0.4, 0.06)
        table(pen, left - 0.6, y, 4.6, 9 - y + 2, vary(pen.dice, desk))
        laptop(pen, left + 1.9, y, 2.0, facing=-1)
        cup(pen, left + 3.5, y)
        sit(
            pen,
            left - 0.6,
            y + 0.1 * height,
            height,
            who,
            hands=((0.36 * height, 0.22 * height + tap), (0.4 * height, 0.22 * height - tap)),
        )

    return act


def server(y: float, height: float, low: float = 3.5, high: float = 12.5) -> Act:
    """Return a waiter in black and white who balances a tray of drinks, the feet at y."""

    def act(pen: Pen) -> None:
        who = in_uniform(look(pen.dice), WHITE)
        spot = pace(pen.t, low, high, WALKING_SPEED, pen.dice.roll())
        hold = (spot.facing * 0.3 * height, -0.02 * height)
        rest = (-spot.facing * 0.14 * height, 0.3 * height)
        hands = (rest, hold) if spot.facing > 0 else (hold, rest)
        walk(pen, spot.x, y, height, who, facing=spot.facing, phase=pen.dice.roll(), hands=hands)
        pen.box(spot.x - 0.07 * height, y - 0.6 * height, 0.14 * height, 0.28 * height, DARK)
        tray_x, tray_y = spot.x + hold[0], y - 0.84 * height
        tray(pen, tray_x, tray_y, height)

    return act


def sleeper(x: float, y: float, height: float, *, mat: float = 0.0) -> Act:
    """Return somebody lying on the back, the head on a white pillow at (x, y).

    A `mat` above 0 is the length of a bright towel under the whole body.
    """

    def act(pen: Pen) -> None:
        towel = vary(pen.dice, pen.dice.pick(BRIGHT))
        if mat:
            corners = ((0, -0.5), (mat, -0.5), (mat + 0.6, 0.9), (-0.6, 0.9))
            pen.shape(corners, towel, at=(x - 0.8, y))
        pen.disc(x - 0.1, y + 0.25, 0.95, WHITE, height=0.55)
        lie(pen, x, y + sway(pen.t, 3.5, 0.03), height, look(pen.dice))

    return act


def washer(x: float, y: float, height: float, tap: tuple[float, float]) -> Act:
    """Return somebody in profile, feet at (x, y), holding both hands under a running tap."""

    def act(pen: Pen) -> None:
        who = look(pen.dice)
        tap_x, tap_y = tap
        pen.box(tap_x - 0.13, tap_y, 0.26, 1.25, WATER)
        pen.box(tap_x - 0.05, tap_y, 0.1, 1.25, WHITE)
        rub = sway(pen.t, 0.8, 0.1)
        facing = 1 if tap_x > x else -1
        neck_y = y - 0.8 * height
        hands = (
            (tap_x - x - 0.15 + rub, tap_y + 0.7 - neck_y),
            (tap_x - x + 0.1 - rub, tap_y + 0.8 - neck_y),
        )
        stand(pen, x, y, height, who, facing=facing, hands=hands)
        for drop in range(5):
            fall = (pen.t * 1.7 + drop / 5) % 1.0
            pen.disc(tap_x + (drop - 2) * 0.16, tap_y + 0.9 + fall * 0.5, 0.09, WATER)

    return act


def shadow(pen: Pen, x: float, y: float, height: float) -> None:
    """Paint the shadow of a person of the height on the ground at (x, y)."""
    pen.disc(x, y + 0.05, 0.2 * height, (70, 72, 70), height=0.045 * height)
