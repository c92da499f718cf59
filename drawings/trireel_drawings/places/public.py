# SPDX-License-Identifier: Apache-2.0
"""Indoor places open to all: restaurant, cafe, grocery store, mall, hallway and lobby."""

from trireel_drawings.figures.activities import (
    Act,
    carrier,
    no_people,
    server,
    shopper,
    typist,
    walker,
)
from trireel_drawings.figures.groups import cafe_talk, crowd, diners
from trireel_drawings.figures.props import (
    BOTTOM,
    LEFT,
    SPAN,
    chair,
    clock,
    cup,
    glass,
    goods,
    pendant,
    plant,
    room,
    round_table,
    shelves,
    tiles,
)
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import (
    BRIGHT,
    DARK,
    LAMP,
    ORANGE,
    RED,
    STEEL,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    shade,
    vary,
)
from trireel_drawings.places import vocabulary as words

CLOTHS: tuple[Colour, ...] = ((236, 226, 210), (176, 44, 48), (226, 214, 196))


def restaurant(pen: Pen) -> None:
    """Paint a dark red room with a wine rack, candles and laid tables under warm lamps."""
    dice = pen.dice
    wall = vary(dice, dice.pick(((112, 44, 44), (94, 52, 40), (104, 40, 58))))
    room(pen, wall, (88, 54, 38), 6.0)
    pen.box(LEFT, 3.8, SPAN, 2.2, shade(wall, 0.7))
    pen.box(5.2, 0.2, 5.6, 3.3, (60, 36, 26))
    for row in range(3):
        goods(pen, 5.4, 0.3 + row * 1.05, 5.2, 0.95, ((50, 90, 50), (130, 30, 50), (200, 170, 90)))
        pen.box(5.2, 1.22 + row * 1.05, 5.6, 0.12, WOOD)
    for lamp in range(5):
        pendant(pen, -0.6 + lamp * 4.2, 1.9 - 0.3 * (lamp % 2), (196, 140, 50))
    cloth = vary(dice, dice.pick(CLOTHS))
    for index in range(4):
        x = -1.0 + index * 5.9
        for facing in (1, -1):
            chair(pen, x - facing * 1.9, 7.6, 2.6, (70, 36, 28), facing)
        pen.shape(
            ((x - 1.5, 5.6), (x + 1.5, 5.6), (x + 1.2, 7.5), (x - 1.2, 7.5)), shade(cloth, 0.86)
        )
        pen.disc(x, 5.6, 1.5, cloth, height=0.34)
        pen.box(x - 0.07, 5.0, 0.14, 0.55, WHITE)
        pen.disc(x, 4.95, 0.14, YELLOW, height=0.24)
        glass(pen, x - 0.8, 5.6)
        glass(pen, x + 0.8, 5.6)


def cafe(pen: Pen) -> None:
    """Paint a brick wall, a menu board, a counter with machine and cakes, and small tables."""
    dice = pen.dice
    brick = vary(dice, (188, 120, 92))
    room(pen, brick, (206, 184, 150), 6.6)
    for row in range(9):
        for column in range(10):
            x = LEFT + column * 2.3 + (row % 2) * 1.1
            pen.box(x, row * 0.62 - 0.4, 2.1, 0.1, shade(brick, 0.8))
    pen.box(9.6, 0.2, 5.4, 2.5, (38, 42, 40))
    for line in range(4):
        pen.box(9.9, 0.5 + line * 0.5, dice.between(1.5, 2.4), 0.12, WHITE)
        pen.box(
            12.6, 0.5 + line * 0.5, dice.between(1.0, 2.0), 0.12, dice.pick((YELLOW, ORANGE, WHITE))
        )
    for lamp in range(8):
        pen.disc(-1.6 + lamp * 2.6, 0.7 + 0.25 * (lamp % 2), 0.2, LAMP)
    pen.line(((LEFT, 0.3), (5.0, 0.6), (19.0, 0.3)), 0.05, DARK)
    front = vary(dice, dice.pick(((58, 120, 116), (90, 110, 70), (120, 80, 60))))
    pen.box(8.6, 4.6, 10.4, 3.2, front)
    pen.box(8.4, 4.3, 10.6, 0.4, (226, 196, 150))
    pen.box(9.2, 3.0, 2.0, 1.35, STEEL)
    pen.box(9.4, 3.3, 1.6, 0.4, DARK)
    pen.disc(10.2, 3.0, 0.5, RED, height=0.2)
    pen.box(11.9, 2.9, 3.6, 1.45, (200, 226, 230))
    for cake in range(4):
        pen.box(
            12.1 + cake * 0.85,
            3.7,
            0.65,
            0.55,
            dice.pick(((226, 150, 170), (150, 90, 50), (250, 230, 160))),
        )
    for index in range(2):
        round_table(pen, 0.6 + index * 4.6, 6.4, 1.2, (226, 196, 150))
        cup(pen, 0.5 + index * 4.6, 6.35)
        chair(pen, 2.6 + index * 4.6, 8.3, 2.4, front, -1)


def grocery_store(pen: Pen) -> None:
    """Paint an aisle between long shelves of bright goods, with crates of fruit and signs."""
    dice = pen.dice
    room(pen, (232, 236, 232), (216, 214, 202), 6.4)
    for strip in range(3):
        pen.box(0.5 + strip * 6.0, -0.6, 3.8, 0.35, WHITE)
    for index in range(5):
        x = LEFT + index * 4.5
        shelves(pen, (x, 1.1, 4.3, 5.3), 4, WHITE, BRIGHT)
    for sign in range(3):
        x = 1.2 + sign * 5.6
        pen.box(x, 0.0, 2.8, 0.9, vary(dice, dice.pick(((40, 140, 70), RED, (40, 90, 170)))))
        pen.box(x + 0.3, 0.35, 2.2, 0.2, WHITE)
    tiles(pen, (LEFT, 6.4, SPAN, 4.0), 1.8, (196, 194, 184))
    for crate in range(3):
        x = dice.between(-1.5, 0.5) + crate * 6.6
        fruit = dice.pick((RED, ORANGE, YELLOW, (110, 180, 60)))
        for apple in range(5):
            pen.disc(x + 0.4 + apple * 0.5, 6.5, 0.32, vary(dice, fruit))
        pen.box(x, 6.5, 2.8, 1.0, (176, 130, 80))
        pen.box(x, 6.9, 2.8, 0.12, (130, 92, 54))


def shopping_mall(pen: Pen) -> None:
    """Paint two floors of bright shop fronts with glass railings and an escalator."""
    dice = pen.dice
    room(pen, (234, 228, 220), (222, 212, 200), 6.4)
    tiles(pen, (LEFT, 6.4, SPAN, 5.0), 2.2, (200, 188, 176))
    pen.fade((LEFT, -3.0, SPAN, 2.9), (170, 214, 240), (220, 236, 244), 4)
    for floor in (0.0, 3.4):
        for shop in range(6):
            x = LEFT + 0.2 + shop * 3.7
            sign = vary(dice, dice.pick(BRIGHT))
            pen.box(x, floor, 3.3, 0.7, sign)
            pen.box(x + 0.6, floor + 0.25, 2.1, 0.2, WHITE)
            pen.box(x, floor + 0.75, 3.3, 2.2, vary(dice, (250, 236, 190)))
            pen.box(x + 1.3, floor + 0.75, 0.8, 2.2, (120, 100, 90))
            for doll in (0.6, 2.7):
                pen.disc(x + doll, floor + 1.25, 0.2, (224, 190, 160))
                pen.box(x + doll - 0.25, floor + 1.45, 0.5, 1.0, dice.pick(BRIGHT))
    pen.box(LEFT, 2.95, SPAN, 0.5, WHITE)
    pen.box(LEFT, 2.2, SPAN, 0.8, (190, 222, 230))
    pen.box(LEFT, 2.15, SPAN, 0.12, STEEL)
    pen.shape(((10.4, 7.4), (12.6, 7.4), (16.6, 2.9), (14.8, 2.9)), (94, 98, 106))
    for rail in ((10.2, 14.6), (12.6, 16.6)):
        pen.line(((rail[0], 6.6), (rail[1], 2.1)), 0.24, (40, 42, 48))
    for step in range(8):
        x, y = 10.9 + step * 0.56, 7.2 - step * 0.6
        pen.box(x, y - 0.1, 1.5, 0.1, (210, 212, 216))
    plant(pen, 2.0, 7.4, 2.6)


def hallway(pen: Pen) -> None:
    """Paint a corridor that runs away from the camera, doors on both sides."""
    dice = pen.dice
    wall = vary(dice, dice.pick(((206, 198, 178), (186, 204, 200), (212, 204, 212))))
    door = vary(dice, dice.pick((WOOD, (70, 110, 130), (130, 70, 60))))
    pen.box(LEFT, LEFT, SPAN, BOTTOM - LEFT, wall)
    pen.shape(((LEFT, -3), (19, -3), (9.3, 2.6), (6.7, 2.6)), (236, 236, 230))
    pen.shape(((LEFT, 12), (19, 12), (9.3, 5.6), (6.7, 5.6)), vary(dice, (148, 132, 120)))
    pen.shape(((5, 12), (11, 12), (8.4, 5.6), (7.6, 5.6)), vary(dice, (150, 60, 60), 20))
    for side in (-1, 1):
        side_wall = ((1.3, 2.6), (11, -3), (11, 12), (1.3, 5.6))
        pen.shape(side_wall, shade(wall, 0.9 if side > 0 else 1.0), at=(8, 0), facing=side)
        for near in (7.4, 4.3, 2.6):
            far = near * 0.74
            corners = (
                (near, 4.0 - 0.42 * near),
                (far, 4.0 - 0.42 * far),
                (far, 4.75 + 0.64 * far),
                (near, 4.75 + 0.64 * near),
            )
            pen.shape(corners, door, at=(8, 0), facing=side)
            knob = near * 0.78
            pen.disc(8 + side * knob, 4.2 + 0.12 * knob, 0.05 * near, YELLOW)
    pen.box(6.7, 2.6, 2.6, 3.0, shade(wall, 1.08))
    pen.box(7.3, 3.0, 1.4, 2.6, (176, 214, 236))
    for lamp, size in ((-0.8, 1.6), (1.2, 0.9), (2.1, 0.5)):
        pen.disc(8, lamp, size, (255, 252, 230), height=0.2 * size)


def lobby(pen: Pen) -> None:
    """Paint a marble hall with a reception desk, lift doors, armchairs and a chandelier."""
    dice = pen.dice
    room(pen, vary(dice, (226, 210, 180)), (196, 178, 152), 6.0)
    for pillar in (-1.6, 4.4, 12.0):
        pen.box(pillar, -3, 0.9, 9.1, (246, 240, 226))
        pen.box(pillar - 0.2, 5.6, 1.3, 0.5, (190, 172, 140))
    for lift in (13.4, 15.9):
        pen.box(lift, 1.6, 2.1, 4.4, (150, 130, 90))
        pen.box(lift + 0.15, 1.8, 0.85, 4.2, STEEL)
        pen.box(lift + 1.1, 1.8, 0.85, 4.2, STEEL)
        pen.disc(lift + 1.05, 1.2, 0.2, RED)
    pen.box(5.8, 1.0, 5.6, 1.0, vary(dice, dice.pick(((120, 84, 50), (50, 80, 90), (90, 60, 80)))))
    pen.box(6.6, 1.35, 4.0, 0.3, YELLOW)
    clock(pen, 8.6, 3.0)
    desk = vary(dice, (120, 76, 44))
    pen.shape(((5.4, 4.6), (11.8, 4.6), (11.4, 6.8), (5.8, 6.8)), desk)
    pen.box(5.2, 4.3, 6.8, 0.36, (240, 232, 216))
    pen.line(((8.6, -3), (8.6, 0.4)), 0.1, YELLOW)
    for arm in range(7):
        pen.disc(6.5 + arm * 0.7, 0.3 + 0.05 * (9 - (arm - 3) ** 2), 0.26, LAMP)
    tiles(pen, (LEFT, 6.9, SPAN, 5.0), 2.6, (176, 158, 132))
    seat = vary(dice, dice.pick(((150, 50, 60), (50, 100, 110), (90, 90, 130))))
    for x in (-0.6, 2.2):
        pen.box(x, 5.4, 2.2, 1.4, shade(seat, 0.85))
        pen.box(x - 0.2, 6.3, 2.6, 1.0, seat)
    plant(pen, 12.6, 7.4, 4.0)


RESTAURANT_ACTS: dict[str, Act] = {
    words.EATING: diners(2.0, 7.2, 12.0, 5.8, (240, 232, 218)),
    words.SERVING: server(8.9, 6.4),
}
CAFE_ACTS: dict[str, Act] = {
    words.TYPING: typist(4.2, 6.6, 5.6, desk=(226, 196, 150)),
    words.SERVING: server(8.9, 6.4),
    words.TALKING: cafe_talk(7.2, 6.7, 5.4, (226, 196, 150)),
}
GROCERY_ACTS: dict[str, Act] = {
    words.SHOPPING: shopper(8.8, 6.0),
    words.CARRYING: carrier(8.8, 6.0),
}
MALL_ACTS: dict[str, Act] = {
    words.CROWD: crowd(6.9, 9.2, 3.4, 5.6),
    words.WALKING: walker(8.6, 5.0),
}
HALLWAY_ACTS: dict[str, Act] = {
    words.WALKING: walker(8.4, 5.6, 5.6, 10.4),
    words.CARRYING: carrier(8.4, 5.6, 5.6, 10.4),
    words.EMPTY: no_people,
}
LOBBY_ACTS: dict[str, Act] = {
    words.CROWD: crowd(7.1, 9.2, 3.6, 5.8),
    words.WALKING: walker(8.7, 5.4),
    words.EMPTY: no_people,
}
