# SPDX-License-Identifier: Apache-2.0
"""Outdoor places: parking lot, city street, park, beach and sports field."""

from trireel_drawings.figures.activities import Act, runner, shopper, sleeper, walker
from trireel_drawings.figures.groups import ball_game, crowd
from trireel_drawings.figures.people import SKINS
from trireel_drawings.figures.props import BOTTOM, LEFT, RIGHT, SPAN, tree
from trireel_drawings.figures.vehicles import bus, car, car_end
from trireel_drawings.painting.canvas import Pen, Point
from trireel_drawings.painting.colours import (
    BRIGHT,
    DARK,
    LEAF,
    ORANGE,
    RED,
    STEEL,
    WHITE,
    WOOD,
    YELLOW,
    Colour,
    mix,
    shade,
    vary,
)
from trireel_drawings.painting.motion import pace, sway, wrap
from trireel_drawings.places import vocabulary as words

PATH: tuple[Point, ...] = (
    (3.2, 4.4),
    (4.2, 4.4),
    (7.6, 6.4),
    (RIGHT, 8.0),
    (RIGHT, 9.6),
    (LEFT, 9.0),
    (LEFT, 7.6),
    (3.4, 6.6),
)
"""Corners of the path through the park."""
SKIES: tuple[Colour, ...] = ((96, 160, 226), (140, 180, 214), (236, 170, 120), (120, 150, 196))


def sky(pen: Pen, horizon_y: float) -> None:
    """Paint a sky with drifting clouds down to the horizon."""
    blue = vary(pen.dice, pen.dice.pick(SKIES))
    pen.fade((LEFT, LEFT, SPAN, horizon_y - LEFT), blue, mix(blue, WHITE, 0.55))
    for _ in range(3):
        x = wrap(pen.t, LEFT - 2, RIGHT + 2, 0.12, pen.dice.roll())
        y = pen.dice.between(-0.2, 1.2)
        for puff in (-0.8, 0.0, 0.8):
            pen.disc(x + puff, y, 1.0, mix(blue, WHITE, 0.75), height=0.34)


def parking_lot(pen: Pen) -> None:
    """Paint two rows of parked cars in white bays, lamp posts and a low building."""
    dice = pen.dice
    sky(pen, 2.6)
    pen.box(2.0, 1.0, 9.0, 1.8, vary(dice, (190, 176, 160)))
    for pane in range(6):
        pen.box(2.4 + pane * 1.45, 1.5, 0.9, 0.7, (110, 140, 160))
    pen.box(LEFT, 2.5, SPAN, 0.4, (80, 120, 70))
    asphalt = vary(dice, (104, 106, 112), 10)
    pen.fade((LEFT, 2.8, SPAN, 10), shade(asphalt, 1.12), shade(asphalt, 0.86), 5)
    for bay in range(8):
        x = LEFT + bay * 2.9
        pen.line(((x, 3.2), (x - 0.35, 5.4)), 0.14, WHITE)
        if dice.chance(0.9):
            car_end(pen, x + 1.3, 5.0, 2.2, vary(dice, dice.pick(BRIGHT)))
    pen.box(LEFT, 5.35, SPAN, 0.1, WHITE)
    for bay in range(6):
        x = LEFT + 0.4 + bay * 4.0
        pen.line(((x, 8.3), (x - 0.6, 11)), 0.2, WHITE)
        if dice.chance(0.85):
            car_end(pen, x + 1.7, 10.4, 3.1, vary(dice, dice.pick(BRIGHT)))
    for post in (1.0, 12.6):
        pen.box(post, -1.5, 0.16, 5.4, STEEL)
        pen.box(post - 0.7, -0.4, 1.6, 0.2, DARK)
    pen.shape(
        ((7.0, 6.75), (8.4, 6.75), (8.4, 6.5), (9.0, 6.9), (8.4, 7.3), (8.4, 7.05), (7.0, 7.05)),
        WHITE,
    )


def drive_by(pen: Pen) -> None:
    """Paint a car that drives along the lane between the parked ones."""
    spot = pace(pen.t, 4.0, 12.0, 1.3, pen.dice.roll())
    car(pen, spot.x, 7.9, 6.2, vary(pen.dice, pen.dice.pick(BRIGHT)), spot.facing)


def city_street(pen: Pen) -> None:
    """Paint tall house fronts with shops, a pavement, a road with lanes and a traffic light."""
    dice = pen.dice
    sky(pen, 3.0)
    for house in range(6):
        x = LEFT + house * 3.8
        tall = dice.between(0.0, 2.0)
        stone = vary(
            dice, dice.pick(((176, 150, 130), (150, 90, 74), (130, 140, 154), (200, 186, 156)))
        )
        pen.box(x, tall - 2.6, 3.7, 8.2 - tall + 0.4, stone)
        for row in range(4):
            for column in range(3):
                pane = (84, 104, 126) if dice.chance(0.75) else (250, 224, 140)
                pen.box(x + 0.4 + column * 1.1, tall - 2.0 + row * 1.15, 0.65, 0.75, pane)
        pen.box(x, 3.9, 3.7, 0.4, vary(dice, dice.pick(BRIGHT)))
        pen.box(x + 0.3, 4.3, 1.9, 1.3, (120, 150, 170))
        pen.box(x + 2.5, 4.3, 0.8, 1.4, (70, 50, 40))
    pen.box(LEFT, 5.6, SPAN, 0.9, (178, 174, 168))
    pen.box(LEFT, 6.4, SPAN, 0.16, (210, 206, 200))
    pen.fade((LEFT, 6.55, SPAN, 6), (84, 86, 92), (64, 66, 72), 4)
    for dash in range(9):
        pen.box(LEFT + dash * 2.4, 7.65, 1.3, 0.16, WHITE)
    with pen.thing("traffic light"):
        pen.box(13.2, 2.6, 0.2, 3.6, DARK)
        pen.box(12.95, 1.6, 0.7, 1.7, DARK)
        for lamp, colour in enumerate((RED, YELLOW, (70, 190, 90))):
            pen.disc(13.3, 1.9 + lamp * 0.54, 0.22, colour)


def traffic(pen: Pen) -> None:
    """Paint cars and a bus in both lanes."""
    dice = pen.dice
    for y, speed in ((7.5, -1.9), (9.0, 2.3)):
        facing = 1 if speed > 0 else -1
        for index in range(4):
            x = wrap(pen.t, LEFT - 3, RIGHT + 3, speed, index / 4 + dice.between(0, 0.04))
            car(pen, x, y, 4.6, vary(dice, dice.pick(BRIGHT)), facing)
        if y < 8:
            bus_x = wrap(pen.t, LEFT - 6, RIGHT + 6, speed, dice.roll())
            bus(pen, bus_x, y, dice.pick((RED, YELLOW)))


def park(pen: Pen) -> None:
    """Paint trees, a pond, a winding path and a bench on the grass."""
    dice = pen.dice
    sky(pen, 4.0)
    leaf = vary(dice, dice.pick((LEAF, (96, 144, 60), (190, 130, 50), (70, 120, 84))))
    for bush in range(10):
        pen.disc(LEFT + bush * 2.4, 4.1, 1.7, shade(leaf, 0.7 + 0.1 * (bush % 3)), height=0.9)
    grass = vary(dice, (110, 166, 76))
    pen.fade((LEFT, 4.2, SPAN, 8), shade(grass, 1.1), shade(grass, 0.8), 5)
    pen.disc(12.4, 5.6, 3.0, (96, 156, 190), height=0.6)
    pen.disc(12.4 + sway(pen.t, 6, 0.3), 5.55, 1.5, (150, 196, 214), height=0.16)
    pen.shape(PATH, (212, 190, 148))
    for x, y, height in ((1.0, 6.6, 6.0), (6.4, 5.3, 4.0), (15.0, 6.9, 6.4), (10.0, 4.9, 3.2)):
        tree(
            pen, x + dice.between(-0.6, 0.6), y, height * dice.between(0.9, 1.15), vary(dice, leaf)
        )
    with pen.thing("bench"):
        for slat in (5.2, 5.6, 6.2):
            pen.box(3.2, slat, 3.0, 0.22, WOOD)
        for leg in (3.4, 5.8):
            pen.box(leg, 6.2, 0.18, 0.8, DARK)
    for _ in range(8):
        pen.disc(
            dice.between(0, 16), dice.between(9.3, 10.5), 0.12, dice.pick((WHITE, YELLOW, RED))
        )


def beach(pen: Pen) -> None:
    """Paint sea with waves, sand, a sunshade, a palm and a boat."""
    dice = pen.dice
    sky(pen, 3.0)
    pen.disc(dice.between(3, 13), 1.2, 0.7, (255, 240, 180))
    sea = vary(dice, dice.pick(((36, 124, 170), (40, 150, 170), (54, 110, 160))))
    pen.fade((LEFT, 3.0, SPAN, 3.2), sea, shade(sea, 1.3), 5)
    boat = wrap(pen.t, LEFT, RIGHT, 0.2, dice.roll())
    with pen.thing("boat"):
        pen.shape(
            ((boat - 0.8, 3.1), (boat + 0.8, 3.1), (boat + 0.5, 3.5), (boat - 0.5, 3.5)), WHITE
        )
        pen.shape(((boat, 1.6), (boat, 3.0), (boat + 0.9, 3.0)), dice.pick((WHITE, RED, ORANGE)))
    for row in range(3):
        for crest in range(5):
            x = wrap(pen.t, LEFT - 2, RIGHT + 2, 0.35, crest / 5 + row * 0.13)
            pen.disc(x, 3.7 + row * 0.75, 1.3, mix(sea, WHITE, 0.55), height=0.07)
    sand = vary(dice, (236, 206, 150), 10)
    shore = 6.0 + sway(pen.t, 5.0, 0.12)
    pen.box(LEFT, shore - 0.2, SPAN, 0.5, WHITE)
    pen.fade((LEFT, shore + 0.15, SPAN, 7), shade(sand, 0.9), shade(sand, 1.06), 4)
    with pen.thing("tree"):
        pen.line(((13.6, 8.0), (13.9, 5.0), (14.6, 2.0)), 0.4, (136, 100, 62))
        for frond in range(6):
            lean = (frond - 2.5) * 0.9
            tip = 2.2 + abs(lean) * 0.5 + sway(pen.t, 3.0, 0.1)
            pen.line(
                ((14.6, 2.0), (14.6 + lean * 0.6, 1.4), (14.6 + lean, tip)), 0.36, (60, 140, 70)
            )
    shade_x = 2.2 + dice.between(-0.6, 0.6)
    with pen.thing("sunshade"):
        pen.line(((shade_x, 4.2), (shade_x + 0.2, 8.0)), 0.16, WHITE)
        for slice_, colour in enumerate((dice.pick(BRIGHT), WHITE, dice.pick(BRIGHT), WHITE)):
            x = shade_x - 1.8 + slice_ * 0.9
            pen.shape(((x, 4.7), (x + 0.9, 4.7), (shade_x, 3.3)), colour)


def sports_field(pen: Pen) -> None:
    """Paint a striped pitch with lines and a goal before stands full of people."""
    dice = pen.dice
    sky(pen, 1.0)
    pen.box(LEFT, 0.4, SPAN, 3.0, (120, 120, 132))
    for row in range(4):
        for seat in range(26):
            x = LEFT + seat * 0.84 + 0.4 * (row % 2)
            pen.box(x, 0.7 + row * 0.62, 0.5, 0.4, dice.pick(BRIGHT))
            pen.box(x + 0.1, 0.5 + row * 0.62, 0.3, 0.26, SKINS[(seat + row) % len(SKINS)])
    pen.box(LEFT, 3.2, SPAN, 0.6, vary(dice, dice.pick(((30, 70, 150), RED, WHITE))))
    grass = vary(dice, (64, 150, 66), 12)
    for stripe in range(8):
        far, near = LEFT + stripe * 2.75, LEFT - 6 + stripe * 4.25
        ends = ((far, 3.8), (far + 2.8, 3.8), (near + 4.3, BOTTOM), (near, BOTTOM))
        pen.shape(ends, shade(grass, 1.12 if stripe % 2 else 0.92))
    pen.box(LEFT, 4.3, SPAN, 0.1, WHITE)
    pen.disc(8.0, 6.6, 2.8, WHITE, height=0.9)
    pen.disc(8.0, 6.6, 2.6, grass, height=0.8)
    pen.line(((8.0, 4.3), (8.0, BOTTOM)), 0.12, WHITE)
    for post in (12.6, 15.4):
        pen.box(post, 3.0, 0.16, 2.4, WHITE)
    pen.box(12.6, 3.0, 2.9, 0.16, WHITE)
    for mesh in range(5):
        pen.box(12.9 + mesh * 0.5, 3.1, 0.04, 2.2, (220, 226, 220))
    pen.box(LEFT, 8.4, SPAN, 4.0, (190, 84, 60))
    pen.box(LEFT, 8.9, SPAN, 0.1, WHITE)


PARKING_ACTS: dict[str, Act] = {
    words.DRIVING: drive_by,
    words.SHOPPING: shopper(8.0, 4.6),
    words.WALKING: walker(8.1, 5.0),
}
STREET_ACTS: dict[str, Act] = {
    words.TRAFFIC: traffic,
    words.CROWD: crowd(6.3, 9.2, 3.2, 5.2),
}
PARK_ACTS: dict[str, Act] = {
    words.RUNNING: runner(8.6, 5.4),
    words.WALKING: walker(8.6, 5.4),
    words.RESTING: sleeper(4.6, 7.8, 7.4, mat=8.4),
}
BEACH_ACTS: dict[str, Act] = {
    words.WALKING: walker(8.7, 5.4),
    words.RUNNING: runner(8.7, 5.4),
    words.BALL: ball_game(6.9, 8.8, 3.4, 4.8, (250, 240, 200)),
    words.RESTING: sleeper(4.6, 7.8, 7.4, mat=8.4),
}
FIELD_ACTS: dict[str, Act] = {
    words.BALL: ball_game(5.6, 8.4, 3.0, 4.8, WHITE),
    words.RUNNING: runner(8.9, 5.6),
}
