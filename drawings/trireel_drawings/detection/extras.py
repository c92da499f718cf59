# SPDX-License-Identifier: Apache-2.0
"""More things for a scene, anywhere: in the places alone each thing has its place."""

from collections.abc import Callable

from trireel_drawings.figures import people, props, vehicles
from trireel_drawings.figures.activities import Act
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import BRIGHT, LEAF, Colour, vary
from trireel_drawings.painting.dice import Dice

MOST_EXTRAS = 4
CHAIRS: tuple[Colour, ...] = ((52, 54, 60), (60, 110, 170), (70, 36, 28), (150, 90, 70))

Painter = Callable[[Pen, Dice, float, float], None]
"""Function that paints one thing with its foot at (x, y)."""


def scattered(seed_key: tuple[int, ...]) -> Act:
    """Return an act that paints one to MOST_EXTRAS things at random places, the same for a key."""

    def act(pen: Pen) -> None:
        dice = Dice(*seed_key)
        for _ in range(dice.count(1, MOST_EXTRAS)):
            x, y = dice.between(0.5, 15.5), dice.between(3.5, 9.0)
            dice.pick(PAINTERS)(pen, dice, x, y)

    return act


def _bright(dice: Dice) -> Colour:
    return vary(dice, dice.pick(BRIGHT))


def _facing(dice: Dice) -> int:
    return 1 if dice.chance(0.5) else -1


def _person(pen: Pen, dice: Dice, x: float, y: float) -> None:
    who, height, facing = people.look(dice), dice.between(3.0, 6.5), _facing(dice)
    pose = dice.count(0, 5)
    if pose < 2:
        people.walk(pen, x, y, height, who, facing=facing, phase=dice.roll())
    elif pose == 2:
        people.run(pen, x, y, height, who, facing=facing, phase=dice.roll())
    elif pose == 3:
        people.sit(pen, x, y - 0.2 * height, height, who, facing=facing)
    elif pose == 4:
        people.stand(pen, x, y, height, who, facing=facing)
    else:
        people.lie(pen, x, y, height, who, facing=facing)


def _car(pen: Pen, dice: Dice, x: float, y: float) -> None:
    if dice.chance(0.5):
        vehicles.car(pen, x, y, dice.between(3.0, 7.0), _bright(dice), _facing(dice))
    else:
        vehicles.car_end(pen, x, y, dice.between(2.0, 3.5), _bright(dice))


def _screen(pen: Pen, dice: Dice, x: float, y: float) -> None:
    width = dice.between(1.8, 4.6)
    lit = dice.chance(0.5)
    props.screen(pen, x - width / 2, y - 0.6 * width, width, 0.6 * width, lit=lit)


def _carton(pen: Pen, dice: Dice, x: float, y: float) -> None:
    width = dice.between(1.1, 3.2)
    props.carton(pen, x, y, width, dice.between(0.65, 0.95) * width)


PAINTERS: tuple[Painter, ...] = (
    _person,
    _person,
    _car,
    _screen,
    _carton,
    lambda pen, dice, x, y: vehicles.bus(pen, x, y, dice.pick(BRIGHT[:3])),
    lambda pen, dice, x, y: vehicles.cart(pen, x, y, _facing(dice)),
    lambda pen, dice, x, y: props.laptop(
        pen, x, y, dice.between(1.5, 2.5), dice.pick((-1, 0, 1, 1))
    ),
    lambda pen, dice, x, y: props.tray(pen, x, y, dice.between(4.0, 7.0)),
    lambda pen, dice, x, y: props.small_ball(pen, x, y, _bright(dice)),
    lambda pen, dice, x, y: props.barbell(pen, x, y),
    lambda pen, dice, x, y: props.plate(pen, x, y, _bright(dice)),
    lambda pen, dice, x, y: props.chair(
        pen, x, y, dice.between(1.8, 3.0), dice.pick(CHAIRS), _facing(dice)
    ),
    lambda pen, dice, x, y: props.plant(pen, x, y, dice.between(2.0, 4.0)),
    lambda pen, dice, x, y: props.clock(pen, x, y - 2.0),
    lambda pen, dice, x, y: props.tree(pen, x, y, dice.between(3.0, 6.5), vary(dice, LEAF, 30)),
)
