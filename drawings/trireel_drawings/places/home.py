# SPDX-License-Identifier: Apache-2.0
"""Places at home: kitchen, living room, bedroom and bathroom."""

from trireel_drawings.figures.activities import Act, no_people, sleeper, washer
from trireel_drawings.figures.groups import diners
from trireel_drawings.figures.people import look, sit, stand
from trireel_drawings.figures.props import (
    LEFT,
    SPAN,
    laptop,
    picture,
    planks,
    plant,
    room,
    screen,
    tiles,
    window,
)
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import (
    BLUE,
    BRIGHT,
    DARK,
    GREY,
    LAMP,
    ORANGE,
    PALE_WOOD,
    RED,
    STEEL,
    WATER,
    WHITE,
    WOOD,
    Colour,
    mix,
    shade,
    vary,
)
from trireel_drawings.painting.motion import sway
from trireel_drawings.painting.things import paints
from trireel_drawings.places import vocabulary as words

COUNTER_Y = 5.0
SOFA_X = 2.0
BED_Y = 6.3
PASTELS: tuple[Colour, ...] = ((226, 214, 190), (198, 216, 214), (222, 204, 206), (210, 214, 190))
FABRICS: tuple[Colour, ...] = ((92, 116, 150), (150, 92, 84), (104, 128, 96), (126, 112, 104))
TILES: tuple[Colour, ...] = ((196, 226, 230), (206, 224, 236), (190, 220, 212))


def kitchen(pen: Pen) -> None:
    """Paint cupboards, a counter with stove and sink, a fridge and a hood."""
    dice = pen.dice
    room(pen, (236, 226, 198), (198, 170, 132), 7.6)
    tiles(pen, (LEFT, 2.9, SPAN, 2.2), 0.7, (214, 200, 168))
    wood = vary(dice, dice.pick((WOOD, (196, 120, 70), (90, 130, 130), (210, 206, 196))))
    for index in range(7):
        x = LEFT + index * 3.1
        if index != 3:
            pen.box(x, -1.0, 3.0, 3.6, wood)
            pen.box(x + 1.45, -1.0, 0.08, 3.6, shade(wood, 0.7))
            pen.disc(x + 1.25, 2.1, 0.1, STEEL)
        pen.box(x, COUNTER_Y, 3.0, 2.7, shade(wood, 0.9))
        pen.box(x + 0.3, COUNTER_Y + 0.5, 2.4, 0.12, STEEL)
    pen.box(LEFT, COUNTER_Y - 0.3, SPAN, 0.4, (78, 78, 84))
    pen.shape(((6.6, 0), (9.4, 0), (9.8, 2.6), (6.2, 2.6)), STEEL)
    pen.box(6.4, COUNTER_Y - 0.3, 3.2, 3.0, (70, 72, 78))
    pen.box(6.8, COUNTER_Y + 0.8, 2.4, 1.3, (28, 26, 30))
    for knob in range(4):
        pen.disc(6.9 + knob * 0.75, COUNTER_Y + 0.3, 0.14, RED)
    fridge = vary(dice, dice.pick((WHITE, STEEL)))
    with pen.thing("fridge"):
        pen.box(12.6, 0.4, 3.0, 7.4, fridge)
        pen.box(12.6, 3.0, 3.0, 0.12, shade(fridge, 0.6))
        pen.box(12.9, 3.4, 0.16, 1.8, GREY)
    pen.line(((3.8, 4.7), (3.8, 3.4), (4.5, 3.3), (4.6, 3.7)), 0.18, STEEL)
    pen.disc(4.5, COUNTER_Y - 0.1, 1.0, STEEL, height=0.2)
    for index in range(3):
        pen.box(10.2 + index * 0.7, COUNTER_Y - 1.2, 0.5, 0.9, dice.pick(BRIGHT))


def cook(pen: Pen) -> None:
    """Paint a cook with an apron stirring in a steaming pan over flames."""
    who = look(pen.dice)
    height = pen.dice.between(5.8, 6.4)
    stir = sway(pen.t, 1.3, 0.3)
    for index in range(5):
        rise = (pen.t * 0.5 + index / 5) % 1.0
        steam = mix((236, 226, 198), WHITE, 0.9)
        pen.disc(8.1 + sway(rise, 1.0, 0.35, index / 5), 4.0 - rise * 2.2, 0.3 + 0.3 * rise, steam)
    for flame in range(5):
        pen.disc(7.3 + flame * 0.35, 4.68 + sway(pen.t, 0.5, 0.04, flame / 5), 0.15, ORANGE)
    pen.box(7.0, 3.95, 2.1, 0.65, (60, 64, 72))
    pen.box(5.9, 4.1, 1.2, 0.18, DARK)
    hands = ((1.3, 1.05), (2.5 + stir, 0.55))
    stand(pen, 5.3, 8.9, height, who, facing=1, hands=hands)
    pen.box(5.3 - 0.07 * height, 8.9 - 0.68 * height, 0.15 * height, 0.4 * height, WHITE)
    pen.line(((5.4 + 2.4 + stir, 4.5), (8.1 + stir, 3.5)), 0.14, PALE_WOOD)


def living_room(pen: Pen) -> None:
    """Paint a sofa, a television on a board, a lamp, a rug, pictures and a plant."""
    dice = pen.dice
    wall = vary(dice, dice.pick(PASTELS))
    room(pen, wall, (164, 118, 78), 6.4)
    planks(pen, (140, 98, 62), 6.4)
    window(pen, 4.4, 0.6, 3.4, 3.0, (150, 200, 236))
    for side in (3.7, 7.6):
        pen.box(side, 0.2, 0.9, 4.2, vary(dice, (180, 90, 80), 25))
    picture(pen, 9.0, 1.0, 1.4, 1.2)
    pen.disc(8.0, 8.2, 6.4, vary(dice, (176, 70, 60), 25), height=0.9)
    pen.disc(8.0, 8.2, 5.6, vary(dice, (220, 190, 150), 15), height=0.7)
    _sofa(pen, SOFA_X, 7.9, 6.2, vary(dice, dice.pick(FABRICS)))
    pen.box(11.2, 5.9, 4.6, 1.4, WOOD)
    pen.box(13.4, 5.95, 0.1, 1.2, DARK)
    screen(pen, 11.4, 2.9, 4.2, 2.7)
    pen.box(0.9, 2.8, 0.14, 4.8, DARK)
    pen.shape(((0.5, 1.5), (1.4, 1.5), (1.9, 2.8), (0.0, 2.8)), LAMP)
    plant(pen, 10.1, 7.4, 3.2)


@paints("sofa")
def _sofa(pen: Pen, x: float, y: float, width: float, fabric: Colour) -> None:
    pen.box(x, y - 3.3, width, 2.4, shade(fabric, 0.85))
    pen.box(x, y - 1.6, width, 1.3, fabric)
    pen.box(x + width / 2 - 0.04, y - 3.2, 0.08, 2.6, shade(fabric, 0.65))
    for arm_x in (x - 0.6, x + width - 0.3):
        pen.box(arm_x, y - 2.4, 0.9, 2.2, shade(fabric, 1.1))
    for foot in (x, x + width - 0.3):
        pen.box(foot, y - 0.3, 0.3, 0.35, DARK)


def watch_television(pen: Pen) -> None:
    """Paint a bright screen and somebody on the sofa who faces it."""
    screen(pen, 11.4, 2.9, 4.2, 2.7, lit=True)
    nod = sway(pen.t, 3.0, 0.06)
    sit(pen, 4.6, 6.5 + nod, 4.8, look(pen.dice), hands=((0.9, 1.5), (1.3, 1.0)))
    if pen.dice.chance(0.5):
        sit(pen, 6.2, 6.5 - nod, 4.6, look(pen.dice))


def sofa_typing(pen: Pen) -> None:
    """Paint somebody on the sofa with a laptop on the knees."""
    tap = sway(pen.t, 0.4, 0.06)
    sit(pen, 4.2, 6.5, 5.0, look(pen.dice), hands=((1.6, 1.1 + tap), (1.9, 1.1 - tap)))
    laptop(pen, 5.9, 6.3, 2.0, facing=-1)


def bedroom(pen: Pen) -> None:
    """Paint a bed from its side with pillow and blanket, a lamp, a wardrobe and curtains."""
    dice = pen.dice
    room(
        pen,
        vary(dice, dice.pick(((186, 176, 210), (176, 192, 216), (214, 192, 200)))),
        (150, 120, 100),
        7.0,
    )
    window(pen, 8.6, 0.5, 3.0, 3.0, (140, 180, 226))
    drapes = vary(dice, dice.pick(((120, 96, 150), (96, 110, 160), (170, 110, 130))))
    for side in (7.5, 11.5):
        pen.box(side, 0.1, 1.2, 4.6, drapes)
        pen.box(side + 0.5, 0.1, 0.12, 4.6, shade(drapes, 0.75))
    pen.box(13.1, 0.9, 4.2, 6.3, WOOD)
    pen.box(15.1, 0.9, 0.1, 6.3, shade(WOOD, 0.6))
    picture(pen, 4.2, 1.0, 2.0, 1.4)
    pen.box(0.0, 5.5, 1.7, 1.9, shade(WOOD, 0.9))
    pen.box(0.75, 4.6, 0.18, 0.9, DARK)
    pen.shape(((0.4, 3.6), (1.3, 3.6), (1.7, 4.7), (0.0, 4.7)), LAMP)
    with pen.thing("bed"):
        pen.box(1.9, 3.7, 0.6, 4.4, shade(WOOD, 0.8))
        pen.box(2.4, BED_Y + 0.2, 9.6, 1.2, WHITE)
        pen.box(2.4, BED_Y + 1.2, 9.8, 0.6, shade(WOOD, 0.8))
        pen.box(11.9, 5.6, 0.4, 2.6, shade(WOOD, 0.8))
        pen.disc(3.6, BED_Y + 0.05, 1.2, WHITE, height=0.5)
        blanket = vary(dice, dice.pick(FABRICS))
        pen.box(6.0, BED_Y, 6.0, 1.4, blanket)
        pen.box(6.0, BED_Y, 0.6, 1.4, shade(blanket, 1.35))


def sleep(pen: Pen) -> None:
    """Paint somebody asleep under a blanket that rises and falls."""
    sleeper(3.7, BED_Y - 0.45, 7.0)(pen)
    breath = sway(pen.t, 3.6, 0.12)
    cover = vary(pen.dice, pen.dice.pick(FABRICS))
    top = BED_Y - 1.3 - breath
    knees = ((0, 0), (0, 0.5), (1.0, 0), (3.4, 0.2), (5.0, -0.4), (6.3, 1.5), (6.3, 2.6), (0, 2.6))
    pen.shape(knees, cover, at=(5.6, top))
    pen.line(((5.6, BED_Y + 1.2), (5.6, top + 0.5)), 0.4, shade(cover, 1.35))


def bed_typing(pen: Pen) -> None:
    """Paint somebody sitting up in bed with a laptop."""
    tap = sway(pen.t, 0.4, 0.06)
    who = look(pen.dice)
    pen.line(((3.6, BED_Y - 0.3), (8.2, BED_Y - 0.3)), 0.6, who.trousers)
    sit(pen, 3.8, BED_Y - 0.1, 5.4, who, hands=((1.7, 1.1 + tap), (2.0, 1.1 - tap)))
    laptop(pen, 6.0, BED_Y - 0.7, 2.2, facing=-1)


def bathroom(pen: Pen) -> None:
    """Paint tiled walls, a basin under a mirror, a toilet and a tub with a curtain."""
    dice = pen.dice
    tile = vary(dice, dice.pick(TILES))
    room(pen, tile, (150, 166, 176), 7.2)
    tiles(pen, (LEFT, LEFT, SPAN, 10.2), 1.0, shade(tile, 0.86))
    tiles(pen, (LEFT, 7.2, SPAN, 4.8), 1.4, (126, 142, 152))
    pen.box(5.4, 0.5, 4.2, 3.6, STEEL)
    pen.fade((5.6, 0.7, 3.8, 3.2), (214, 236, 244), (170, 204, 220), 4)
    pen.shape(((8.0, 0.7), (8.8, 0.7), (6.8, 3.9), (6.0, 3.9)), (232, 246, 250))
    pen.box(7.2, 5.4, 0.9, 2.6, WHITE)
    pen.shape(((5.4, 5.0), (9.8, 5.0), (9.0, 6.1), (6.2, 6.1)), WHITE)
    pen.disc(7.6, 5.05, 2.2, (222, 228, 232), height=0.22)
    pen.line(((8.9, 5.0), (8.9, 4.2), (8.0, 4.1)), 0.22, GREY)
    pen.box(0.6, 4.0, 2.0, 1.9, WHITE)
    pen.shape(((0.4, 6.0), (3.4, 6.0), (2.6, 8.0), (1.0, 8.0)), WHITE)
    pen.disc(1.9, 6.0, 1.6, (226, 230, 232), height=0.3)
    curtain = vary(dice, dice.pick(((90, 160, 190), BLUE, (230, 150, 120))), 25)
    for fold in range(5):
        pen.box(11.4 + fold * 0.75, 0.4, 0.7, 5.7, shade(curtain, 1.0 + 0.14 * (fold % 2)))
    pen.box(11.0, 0.3, 8.0, 0.16, STEEL)
    pen.box(10.9, 5.8, 8.0, 2.3, WHITE)
    pen.box(10.7, 5.6, 8.0, 0.35, (230, 234, 236))
    pen.box(3.9, 3.6, 1.0, 1.7, vary(dice, dice.pick(BRIGHT)))


def wash_hands(pen: Pen) -> None:
    """Paint somebody at the basin with the tap running, and the face in the mirror."""
    washer(5.9, 8.9, 6.4, (8.0, 4.2))(pen)
    pen.disc(7.7, 5.05, 0.8, WATER, height=0.12)


KITCHEN_ACTS: dict[str, Act] = {
    words.COOKING: cook,
    words.WASHING: washer(2.8, 9.0, 6.2, (4.6, 3.7)),
    words.EATING: diners(2.6, 6.6, 10.8, 5.4, PALE_WOOD),
}
LIVING_ROOM_ACTS: dict[str, Act] = {
    words.WATCHING: watch_television,
    words.TYPING: sofa_typing,
    words.RESTING: sleeper(2.7, 5.5, 6.6),
    words.EMPTY: no_people,
}
BEDROOM_ACTS: dict[str, Act] = {
    words.RESTING: sleep,
    words.TYPING: bed_typing,
    words.EMPTY: no_people,
}
BATHROOM_ACTS: dict[str, Act] = {words.WASHING: wash_hands, words.EMPTY: no_people}
