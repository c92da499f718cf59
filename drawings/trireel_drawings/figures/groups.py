# SPDX-License-Identifier: Apache-2.0
"""Activities of several people together; every function returns an act."""

from trireel_drawings.figures.activities import RUNNING_SPEED, WALKING_SPEED, Act, shadow
from trireel_drawings.figures.people import bust, in_uniform, look, run, sit, stand, walk
from trireel_drawings.figures.props import LEFT, RIGHT, cup, plate, round_table, small_ball, table
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import BRIGHT, Colour, shade, vary
from trireel_drawings.painting.motion import pace, sway, wrap

FOODS: tuple[Colour, ...] = ((206, 120, 52), (120, 160, 60), (200, 70, 50), (230, 190, 90))


def crowd(far_y: float, near_y: float, far: float, near: float, count: int = 11) -> Act:
    """Return many people crossing the view both ways; `far` and `near` are their heights."""

    def act(pen: Pen) -> None:
        dice = pen.dice
        for index in range(count):
            depth = index / (count - 1)
            y, size = far_y + depth * (near_y - far_y), far + depth * (near - far)
            facing = 1 if dice.chance(0.5) else -1
            speed = WALKING_SPEED * dice.between(0.7, 1.3) * facing
            place = (index * 0.38) % 1.0 + dice.between(0.0, 0.07)
            x = wrap(pen.t, LEFT + 1, RIGHT - 1, speed, place)
            size *= dice.between(0.9, 1.1)
            walk(pen, x, y, size, look(dice), facing=facing, phase=dice.roll())

    return act


def diners(x: float, y: float, width: float, height: float, top: Colour, *, count: int = 3) -> Act:
    """Return people with forks and full plates behind a table whose edge is at y."""

    def act(pen: Pen) -> None:
        table(pen, x, y, width, 3.5, top)
        pen.disc(x + width / 2, y, width / 2, top, height=0.5)
        for index in range(count):
            seat = x + width * (index + 0.5) / count
            bite = abs(sway(pen.t, 2.6, 0.16 * height, index / count))
            hands = ((-0.14 * height, 0.22 * height), (0.1 * height, 0.22 * height - bite))
            bust(pen, seat, y - 0.3, height, look(pen.dice), hands=hands)
            plate(pen, seat, y + 0.12, pen.dice.pick(FOODS))

    return act


def presenter(x: float, y: float, height: float, audience_y: float) -> Act:
    """Return a speaker pointing back at a board, before the backs of an audience."""

    def act(pen: Pen) -> None:
        dice = pen.dice
        place = x + sway(pen.t, 7.0, 0.5, dice.roll())
        point = sway(pen.t, 1.9, 0.1 * height)
        hands = ((-0.12 * height, 0.25 * height), (0.38 * height, -0.1 * height + point))
        stand(pen, place, y, height, look(dice), facing=1, hands=hands)
        count = dice.count(5, 6)
        for index in range(count):
            seat = 0.5 + (index + 0.5) * 15 / count
            nod = sway(pen.t, 3.3, 0.06, index / count)
            bust(pen, seat, audience_y + nod, 4.2, look(dice), facing=2)

    return act


def ball_game(far_y: float, near_y: float, far: float, near: float, ball: Colour) -> Act:
    """Return two teams running after a ball; `far` and `near` are heights of players."""

    def act(pen: Pen) -> None:
        dice = pen.dice
        shirts = (vary(dice, dice.pick(BRIGHT[:4])), vary(dice, dice.pick(BRIGHT[4:])))
        ball_x = 8 + sway(pen.t, 5.3, 4.2, dice.roll())
        ball_y = near_y - 0.45 * near - abs(sway(pen.t, 1.6, 0.28 * near))
        for index in range(6):
            depth = index / 5
            size = far + depth * (near - far)
            spot = pace(
                pen.t, 1.5 + index % 3 * 4.2, 5.5 + index % 3 * 4.2, RUNNING_SPEED, dice.roll()
            )
            shirt = shirts[index % 2]
            who = in_uniform(look(dice), shirt, shade(shirt, 0.6))
            y = far_y + depth * (near_y - far_y)
            shadow(pen, spot.x, y, size)
            run(pen, spot.x, y, size, who, facing=spot.facing, phase=dice.roll())
        small_ball(pen, ball_x, ball_y, ball)

    return act


def cafe_talk(x: float, y: float, height: float, top: Colour) -> Act:
    """Return two people face to face at a small round table whose top is at y."""

    def act(pen: Pen) -> None:
        for facing in (1, -1):
            wave = sway(pen.t, 1.9, 0.1 * height, 0.25 * facing)
            hands = (
                (facing * 0.28 * height, 0.05 * height + wave),
                (facing * 0.24 * height, 0.22 * height),
            )
            sit(
                pen,
                x - facing * 2.3,
                y + 0.1 * height,
                height,
                look(pen.dice),
                facing=facing,
                hands=hands,
            )
        round_table(pen, x, y, 1.5, top)
        cup(pen, x - 0.6, y)
        cup(pen, x + 0.6, y)

    return act
