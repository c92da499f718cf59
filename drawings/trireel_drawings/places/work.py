# SPDX-License-Identifier: Apache-2.0
"""Places of work: office, meeting room, classroom and warehouse."""

from trireel_drawings.figures.activities import Act, carrier, no_people, typist
from trireel_drawings.figures.groups import presenter
from trireel_drawings.figures.people import bust, in_uniform, look
from trireel_drawings.figures.props import (
    LEFT,
    SPAN,
    carton,
    chair,
    clock,
    plant,
    room,
    screen,
    table,
    window,
)
from trireel_drawings.painting.canvas import Pen, Point
from trireel_drawings.painting.colours import (
    BLACK,
    DARK,
    GREY,
    LAMP,
    ORANGE,
    PALE_WOOD,
    RED,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    shade,
    vary,
)
from trireel_drawings.painting.motion import pace, sway
from trireel_drawings.places import vocabulary as words

FORKLIFT_BODY: tuple[Point, ...] = (
    (-2.2, -0.3),
    (-2.2, -2.0),
    (-1.0, -2.3),
    (-0.8, -1.5),
    (1.3, -1.5),
    (1.5, -0.3),
)
CARPETS: tuple[Colour, ...] = ((110, 122, 142), (104, 108, 116), (96, 122, 128))


def office(pen: Pen) -> None:
    """Paint rows of desks with monitors between low partitions under strip lights."""
    dice = pen.dice
    carpet = vary(dice, dice.pick(CARPETS))
    room(pen, (214, 218, 222), carpet, 5.6)
    for strip in range(4):
        pen.box(-1.5 + strip * 5, -0.2, 3.4, 0.5, WHITE)
    for pane in range(4):
        pen.fade((-2.4 + pane * 5.2, 1.0, 4.6, 2.4), (168, 204, 230), (206, 226, 238), 4)
        for slat in range(4):
            pen.box(-2.4 + pane * 5.2, 1.0 + slat * 0.36, 4.6, 0.1, (232, 234, 236))
    partition = vary(dice, dice.pick(((126, 146, 176), (150, 160, 150), (160, 140, 130))))
    for row, y, size in ((0, 5.4, 1.0), (1, 7.6, 1.35)):
        for desk in range(4):
            x = -2.4 + row * 0.9 + desk * 5.2
            pen.box(x - 0.3, y - 1.5 * size, 4.4, 1.5 * size, partition)
            pen.box(x - 0.3, y - 1.5 * size, 4.4, 0.12, WHITE)
            table(pen, x, y, 3.8, 1.2 * size, WHITE)
            screen(pen, x + 0.9, y - 1.45 * size, 1.9, 1.15 * size, lit=False)
            pen.box(x + 1.7, y - 0.3, 0.3, 0.3, DARK)
            if dice.chance(0.5):
                pen.box(x + 3.1, y - 0.45, 0.6, 0.45, vary(dice, (210, 190, 160), 30))
            chair(pen, x + 0.6, y + 2.1 * size, 2.3 * size, DARK)
    plant(pen, 15.2, 8.4, 3.2)


def meeting_room(pen: Pen) -> None:
    """Paint a long table with chairs before a glass wall and a dark screen."""
    dice = pen.dice
    room(pen, vary(dice, (196, 206, 204)), vary(dice, (88, 96, 116)), 6.6)
    for pane in range(4):
        x = 8.6 + pane * 2.7
        pen.fade((x, 0.0, 2.5, 6.3), (176, 214, 216), (214, 234, 230), 4)
        pen.box(x + 2.45, -2, 0.14, 8.5, DARK)
    pen.box(LEFT, -2.0, SPAN, 2.0, (228, 230, 230))
    for lamp in (3.0, 8.0, 13.0):
        pen.box(lamp - 1.4, 0.1, 2.8, 0.22, LAMP)
        pen.box(lamp, -2.0, 0.06, 2.1, DARK)
    screen(pen, 3.0, 1.1, 4.6, 2.7)
    seat = vary(dice, dice.pick((DARK, (60, 90, 130), (120, 60, 60))))
    for index in range(5):
        pen.box(1.7 + index * 2.7, 4.6, 1.5, 2.4, seat)
        pen.box(1.7 + index * 2.7, 4.6, 1.5, 0.2, shade(seat, 1.3))
    wood = vary(dice, dice.pick((WOOD, (176, 126, 82), (110, 80, 60))))
    pen.shape(((1.2, 6.4), (14.8, 6.4), (17.0, 8.0), (-1.0, 8.0)), wood)
    pen.box(-1.0, 8.0, 18.0, 0.35, shade(wood, 0.7))
    for sheet in range(4):
        pen.shape(((0, 0), (1, 0), (0.9, 0.5), (-0.2, 0.5)), WHITE, at=(2.2 + sheet * 3.2, 7.0))
    plant(pen, 0.4, 6.7, 3.0)


def meeting_talk(pen: Pen) -> None:
    """Paint people around the table who gesture at each other."""
    dice = pen.dice
    count = dice.count(4, 5)
    for index in range(count):
        x = 1.6 + 13.0 * (index + 0.5) / count
        facing = 1 if index < count / 2 else -1
        wave = sway(pen.t, 1.7, 0.4, index / count)
        hands = ((-0.5, 0.95), (facing * 1.0, 0.3 + wave))
        bust(pen, x, 6.5, 4.8, look(dice), facing=facing, hands=hands)
    for index in range(3):
        bust(
            pen,
            3.0 + index * 5.0,
            9.0 + sway(pen.t, 3.1, 0.06, index / 3),
            4.4,
            look(dice),
            facing=2,
        )


def meeting_slides(pen: Pen) -> None:
    """Paint a lit screen with a growing chart and a speaker before an audience."""
    pen.box(3.0, 1.1, 4.6, 2.7, WHITE)
    pen.box(3.3, 1.3, 2.6, 0.25, (60, 90, 160))
    for bar in range(5):
        tall = 0.5 + 0.25 * bar + sway(pen.t, 2.4, 0.15, bar / 5)
        pen.box(
            3.5 + bar * 0.8, 3.6 - tall, 0.5, tall, (ORANGE, (60, 150, 90), (60, 110, 190))[bar % 3]
        )
    presenter(9.0, 7.2, 5.6, 9.2)(pen)


def classroom(pen: Pen) -> None:
    """Paint a green board with chalk lines, posters, a clock and rows of small desks."""
    dice = pen.dice
    room(
        pen,
        vary(dice, dice.pick(((244, 226, 168), (232, 222, 190), (226, 232, 186)))),
        (186, 148, 104),
        5.8,
    )
    pen.box(3.2, 0.9, 9.6, 3.5, PALE_WOOD)
    board = vary(dice, dice.pick(((38, 92, 70), (36, 80, 76), (44, 98, 58))), 8)
    pen.box(3.4, 1.1, 9.2, 3.1, board)
    for row in range(3):
        pen.line(
            ((4.0, 1.7 + row * 0.7), (4.0 + dice.between(2, 4), 1.7 + row * 0.7)),
            0.1,
            (214, 226, 214),
        )
    pen.shape(((9.6, 3.6), (11.8, 3.6), (10.7, 1.8)), (200, 216, 120))
    pen.shape(((9.9, 3.45), (11.5, 3.45), (10.7, 2.1)), board)
    clock(pen, 14.4, 1.2)
    for poster in range(2):
        pen.box(-2.0 + poster * 2.2, 1.2, 1.7, 2.2, vary(dice, (ORANGE, (90, 170, 210))[poster]))
    window(pen, 14.0, 2.2, 4.0, 2.6, (160, 206, 240))
    for row, y, size in ((0, 6.5, 0.8), (1, 7.9, 1.1)):
        for desk in range(5):
            x = -1.6 + desk * 4.0 - row * 0.6
            chair(pen, x + 1.2, y + 1.7 * size, 2.4 * size, (60, 110, 170))
            table(pen, x, y, 2.6, 1.5 * size, PALE_WOOD)


def warehouse(pen: Pen) -> None:
    """Paint tall orange racks full of cartons under round lamps, and yellow floor lines."""
    dice = pen.dice
    room(pen, (130, 136, 144), vary(dice, (158, 158, 152)), 6.9)
    for lamp in range(5):
        pen.disc(-1 + lamp * 4.4, 0.1, 0.8, LAMP, height=0.24)
    beam = vary(dice, dice.pick((ORANGE, (220, 110, 40), (60, 100, 180))))
    for bay in range(6):
        x = -3.0 + bay * 3.8
        pen.box(x, 0.6, 3.5, 6.3, (84, 88, 96))
        for level in range(4):
            y = 2.1 + level * 1.58
            pen.box(x + 0.2, y - 0.14, 3.1, 0.16, WOOD)
            for slot in range(2):
                if dice.chance(0.85):
                    carton(pen, x + 1.0 + slot * 1.5, y - 0.12, 1.35, dice.between(0.8, 1.2))
            pen.box(x - 0.1, y, 3.7, 0.18, beam)
        pen.box(x - 0.15, 0.4, 0.24, 6.6, (50, 70, 120))
    for line_y in (7.2, 8.7):
        pen.box(LEFT, line_y, SPAN, 0.16, YELLOW)


def forklift(pen: Pen) -> None:
    """Paint a forklift with a driver that carries a pallet of cartons to and fro."""
    dice = pen.dice
    spot = pace(pen.t, 4.5, 11.5, 1.0, dice.roll())
    x, facing = spot.x, spot.facing
    paint = vary(dice, dice.pick((YELLOW, ORANGE, RED)))
    lift = 0.9 + abs(sway(pen.t, 6.0, 1.6))
    bust(pen, x - facing * 0.5, 6.7, 4.4, in_uniform(look(dice), ORANGE), facing=facing)
    with pen.thing("forklift"):
        pen.shape(FORKLIFT_BODY, paint, at=(x, 8.5), facing=facing)
        for post in (-1.6, 1.0):
            pen.line(((x + facing * post, 6.6), (x + facing * post * 0.8, 4.2)), 0.18, DARK)
        pen.line(((x - facing * 1.5, 4.2), (x + facing * 1.1, 4.2)), 0.3, DARK)
        pen.line(((x + facing * 1.8, 8.6), (x + facing * 1.8, 3.4)), 0.3, BLACK)
        pen.line(((x + facing * 1.8, 8.5 - lift), (x + facing * 4.4, 8.5 - lift)), 0.18, BLACK)
        pen.box(min(x + facing * 2.1, x + facing * 4.5), 8.2 - lift, 2.4, 0.28, WOOD)
        for index in range(2):
            carton(pen, x + facing * (2.7 + index * 1.2), 8.2 - lift, 1.1, 1.2)
        carton(pen, x + facing * 3.3, 7.0 - lift, 1.2, 1.0)
        for wheel in (-1.4, 0.9):
            pen.disc(x + facing * wheel, 8.4, 0.55, BLACK)
            pen.disc(x + facing * wheel, 8.4, 0.22, GREY)


OFFICE_ACTS: dict[str, Act] = {
    words.TYPING: typist(5.0, 6.1, 6.6),
    words.CARRYING: carrier(8.9, 6.0),
    words.EMPTY: no_people,
}
MEETING_ROOM_ACTS: dict[str, Act] = {
    words.TALKING: meeting_talk,
    words.PRESENTING: meeting_slides,
    words.EMPTY: no_people,
}
CLASSROOM_ACTS: dict[str, Act] = {
    words.PRESENTING: presenter(5.6, 6.9, 5.2, 9.0),
    words.EMPTY: no_people,
}
WAREHOUSE_ACTS: dict[str, Act] = {
    words.FORKLIFT: forklift,
    words.CARRYING: carrier(8.7, 5.4),
    words.EMPTY: no_people,
}
