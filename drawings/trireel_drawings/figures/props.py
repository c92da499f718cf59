# SPDX-License-Identifier: Apache-2.0
"""Things: furniture, goods and plants.

Positions are in world units; (x, y) is the upper left corner unless a function says otherwise.
"""

from collections.abc import Sequence

from trireel_drawings.painting.canvas import WORLD_HEIGHT, WORLD_MARGIN, WORLD_WIDTH, Pen
from trireel_drawings.painting.colours import (
    BLACK,
    BRIGHT,
    CARDBOARD,
    DARK,
    GLOW,
    GREY,
    LAMP,
    LEAF,
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
from trireel_drawings.painting.motion import sway
from trireel_drawings.painting.things import paints

LEFT = -WORLD_MARGIN
RIGHT = WORLD_WIDTH + WORLD_MARGIN
BOTTOM = WORLD_HEIGHT + WORLD_MARGIN
SPAN = RIGHT - LEFT


def room(pen: Pen, wall: Colour, floor: Colour, floor_y: float) -> None:
    """Paint a wall and a floor that meet at floor_y."""
    pen.fade((LEFT, LEFT, SPAN, floor_y - LEFT), shade(wall, 0.88), shade(wall, 1.04))
    pen.fade((LEFT, floor_y, SPAN, BOTTOM - floor_y), shade(floor, 0.82), shade(floor, 1.08))
    pen.box(LEFT, floor_y - 0.18, SPAN, 0.18, shade(wall, 0.72))


def planks(pen: Pen, colour: Colour, floor_y: float, *, across: int = 13) -> None:
    """Paint floor lines that run towards a vanishing point."""
    middle = WORLD_WIDTH / 2
    for index in range(across):
        x = LEFT + (index + 0.5) * SPAN / across
        far = middle + (x - middle) * 0.62
        pen.line(((far, floor_y), (x + (x - middle) * 0.25, BOTTOM)), 0.05, colour)


def tiles(pen: Pen, area: tuple[float, float, float, float], size: float, colour: Colour) -> None:
    """Paint the joints of square tiles over the area (x, y, width, height)."""
    x, y, width, height = area
    for column in range(int(width / size) + 1):
        pen.box(x + column * size, y, 0.05, height, colour)
    for row in range(int(height / size) + 1):
        pen.box(x, y + row * size, width, 0.05, colour)


@paints("window")
def window(pen: Pen, x: float, y: float, width: float, height: float, sky: Colour) -> None:
    """Paint a window with a cross bar and a green strip outside."""
    pen.box(x - 0.12, y - 0.12, width + 0.24, height + 0.24, WHITE)
    pen.fade((x, y, width, height), sky, shade(sky, 1.15), 4)
    pen.box(x, y + height * 0.72, width, height * 0.28, shade(LEAF, 1.2))
    pen.box(x + width / 2 - 0.05, y, 0.1, height, WHITE)
    pen.box(x, y + height * 0.45, width, 0.1, WHITE)


@paints("picture")
def picture(pen: Pen, x: float, y: float, width: float, height: float) -> None:
    """Paint a framed picture."""
    pen.box(x, y, width, height, DARK)
    pen.box(x + 0.1, y + 0.1, width - 0.2, height - 0.2, WHITE)
    pen.box(x + 0.25, y + 0.25, width - 0.5, height - 0.5, vary(pen.dice, pen.dice.pick(BRIGHT)))


@paints("screen")
def screen(pen: Pen, x: float, y: float, width: float, height: float, *, lit: bool = False) -> None:
    """Paint a flat screen; a lit one shows a picture that changes."""
    pen.box(x - 0.1, y - 0.1, width + 0.2, height + 0.2, BLACK)
    if not lit:
        pen.box(x, y, width, height, (38, 42, 50))
        pen.shape(((x, y), (x + width * 0.4, y), (x, y + height * 0.8)), (58, 62, 72))
        return
    pen.fade((x, y, width, height), (70, 140, 220), (170, 220, 250), 4)
    pen.box(x, y + height * 0.68, width, height * 0.32, (80, 160, 80))
    middle = x + width / 2 + sway(pen.t, 3.1, width * 0.28)
    pen.disc(middle, y + height * 0.4, height * 0.13, (250, 230, 120))
    pen.box(middle - height * 0.12, y + height * 0.5, height * 0.24, height * 0.4, RED)


@paints("clock")
def clock(pen: Pen, x: float, y: float) -> None:
    """Paint a wall clock around (x, y)."""
    pen.disc(x, y, 0.42, DARK)
    pen.disc(x, y, 0.35, WHITE)
    pen.line(((x, y), (x, y - 0.25)), 0.06, DARK)
    pen.line(((x, y), (x + 0.17, y + 0.08)), 0.06, DARK)


@paints("plant")
def plant(pen: Pen, x: float, y: float, height: float) -> None:
    """Paint a potted plant standing at (x, y)."""
    pot = 0.16 * height
    for index in range(5):
        lean = (index - 2) * 0.17 * height + sway(pen.t, 4.0, 0.01 * height, index / 5)
        leaf = vary(pen.dice, LEAF, 20)
        pen.line(((x, y - pot), (x + lean * 0.6, y - height * 0.7)), 0.08 * height, leaf)
        pen.disc(x + lean, y - height * (0.9 - 0.06 * abs(index - 2)), 0.13 * height, leaf)
    pen.shape(
        (
            (x - pot, y - 1.6 * pot),
            (x + pot, y - 1.6 * pot),
            (x + 0.7 * pot, y),
            (x - 0.7 * pot, y),
        ),
        (172, 92, 58),
    )


@paints("lamp")
def pendant(pen: Pen, x: float, y: float, colour: Colour = DARK) -> None:
    """Paint a lamp that hangs from the ceiling down to (x, y)."""
    pen.box(x - 0.04, LEFT, 0.08, y - LEFT, DARK)
    pen.shape(((x - 0.2, y - 0.5), (x + 0.2, y - 0.5), (x + 0.6, y), (x - 0.6, y)), colour)
    pen.disc(x, y, 0.42, LAMP, height=0.16)


@paints("table")
def table(pen: Pen, x: float, y: float, width: float, height: float, colour: Colour) -> None:
    """Paint a table with two legs, its top edge at y."""
    for leg in (x + 0.15, x + width - 0.4):
        pen.box(leg, y, 0.25, height, shade(colour, 0.7))
    pen.box(x, y, width, 0.32, colour)
    pen.box(x, y + 0.24, width, 0.1, shade(colour, 0.75))


@paints("table")
def round_table(pen: Pen, x: float, y: float, radius: float, colour: Colour) -> None:
    """Paint a small round table with one leg, the middle of its top at (x, y)."""
    pen.box(x - 0.1, y, 0.2, 1.7 * radius, DARK)
    pen.disc(x, y + 1.7 * radius, 0.5 * radius, DARK, height=0.15 * radius)
    pen.disc(x, y + 0.08, radius, shade(colour, 0.7), height=0.32 * radius)
    pen.disc(x, y, radius, colour, height=0.3 * radius)


@paints("chair")
def chair(pen: Pen, x: float, y: float, height: float, colour: Colour, facing: int = 1) -> None:
    """Paint a chair in profile standing at (x, y), its back away from `facing`."""
    seat, deep = y - 0.45 * height, 0.4 * height
    back = x - facing * deep / 2
    for leg in (x - deep / 2, x + deep / 2 - 0.1):
        pen.box(leg, seat, 0.1, 0.45 * height, shade(colour, 0.6))
    pen.box(x - deep / 2, seat, deep, 0.12 * height, colour)
    pen.box(back - 0.08, y - height, 0.16, 0.6 * height, colour)


@paints("laptop")
def laptop(pen: Pen, x: float, y: float, width: float, facing: int = 0) -> None:
    """Paint an open laptop, the middle of its base at (x, y).

    With facing 0 the lid is seen from behind; with 1 or -1 the laptop is in profile and the light
    of its screen falls towards `facing`.
    """
    if facing == 0:
        lid = ((-0.5, 0), (0.5, 0), (0.44, -0.62), (-0.44, -0.62))
        pen.shape([(dx * width, dy * width) for dx, dy in lid], STEEL, at=(x, y))
        pen.disc(x, y - width * 0.3, width * 0.08, WHITE)
        pen.box(x - width * 0.56, y - 0.05, width * 1.12, 0.12, GREY)
        return
    hinge = x - facing * width * 0.45
    top = (hinge - facing * width * 0.25, y - width * 0.7)
    pen.shape(((hinge, y - 0.05), top, (x + facing * width * 0.4, y - 0.1)), GLOW)
    pen.line(((hinge, y), top), 0.14, DARK)
    pen.line(((hinge, y), (x + facing * width * 0.5, y)), 0.16, STEEL)


def goods(
    pen: Pen, x: float, y: float, width: float, height: float, palette: Sequence[Colour]
) -> None:
    """Paint a row of packets and bottles standing on the line y + height."""
    place = x
    while place < x + width - 0.15:
        broad = min(pen.dice.between(0.28, 0.55), x + width - place)
        tall = height * pen.dice.between(0.6, 0.95)
        colour = vary(pen.dice, pen.dice.pick(palette))
        pen.box(place, y + height - tall, broad - 0.06, tall, colour)
        pen.box(place + 0.05, y + height - tall * 0.6, broad - 0.16, tall * 0.2, shade(colour, 1.4))
        place += broad


def shelves(
    pen: Pen,
    area: tuple[float, float, float, float],
    rows: int,
    frame: Colour,
    palette: Sequence[Colour],
) -> None:
    """Paint a filled shelf over the area (x, y, width, height)."""
    x, y, width, height = area
    pen.box(x, y, width, height, shade(frame, 0.55))
    for row in range(rows):
        goods(pen, x + 0.1, y + row * height / rows, width - 0.2, height / rows - 0.12, palette)
        pen.box(x, y + (row + 1) * height / rows - 0.14, width, 0.16, frame)
    for side in (x - 0.06, x + width - 0.06):
        pen.box(side, y, 0.14, height, frame)


@paints("carton")
def carton(pen: Pen, x: float, y: float, width: float, height: float) -> None:
    """Paint a cardboard box with tape, standing at (x, y), x in its middle."""
    left, top = x - width / 2, y - height
    pen.box(left, top, width, height, CARDBOARD)
    pen.box(left, top, width, height * 0.14, shade(CARDBOARD, 1.15))
    pen.box(left + width * 0.42, top, width * 0.16, height, shade(CARDBOARD, 1.3))
    pen.box(left + width * 0.08, y - height * 0.3, width * 0.24, height * 0.16, WHITE)


@paints("plate")
def plate(pen: Pen, x: float, y: float, food: Colour) -> None:
    """Paint a plate of food around (x, y)."""
    pen.disc(x, y, 0.5, WHITE, height=0.16)
    pen.disc(x, y - 0.06, 0.3, food, height=0.13)


@paints("cup")
def cup(pen: Pen, x: float, y: float) -> None:
    """Paint a cup standing at (x, y), x in its middle."""
    pen.disc(x + 0.16, y - 0.16, 0.12, WHITE)
    pen.box(x - 0.16, y - 0.34, 0.32, 0.34, WHITE)


@paints("glass")
def glass(pen: Pen, x: float, y: float) -> None:
    """Paint a glass of red wine standing at (x, y)."""
    pen.box(x - 0.03, y - 0.4, 0.06, 0.4, STEEL)
    pen.disc(x, y - 0.5, 0.15, (140, 26, 50), height=0.2)


@paints("tree")
def tree(pen: Pen, x: float, y: float, height: float, leaf: Colour) -> None:
    """Paint a tree standing at (x, y)."""
    pen.box(x - 0.05 * height, y - 0.5 * height, 0.1 * height, 0.5 * height, WOOD)
    wind = sway(pen.t, 5.0, 0.012 * height, x / 7)
    for dx, dy, size, light in (
        (-0.17, 0.55, 0.2, 0.85),
        (0.17, 0.58, 0.2, 0.92),
        (0, 0.76, 0.25, 1.08),
    ):
        pen.disc(x + dx * height + wind, y - dy * height, size * height, shade(leaf, light))


@paints("ball")
def small_ball(pen: Pen, x: float, y: float, colour: Colour) -> None:
    """Paint a ball with a dark rim around (x, y)."""
    pen.disc(x, y, 0.42, DARK)
    pen.disc(x, y, 0.36, colour)


@paints("barbell")
def barbell(pen: Pen, x: float, y: float) -> None:
    """Paint a bar with two weights on each side, its middle at (x, y)."""
    pen.line(((x - 3.4, y), (x + 3.4, y)), 0.16, STEEL)
    for side in (-1, 1):
        for colour, reach, size in ((RED, 2.7, 1.1), (DARK, 3.0, 0.85)):
            pen.disc(x + side * reach, y, 0.26, colour, height=size)


@paints("tray")
def tray(pen: Pen, x: float, y: float, height: float) -> None:
    """Paint a tray of drinks around (x, y), sized for a waiter of the height."""
    pen.disc(x, y, 0.24 * height, STEEL, height=0.045 * height)
    for offset, colour in ((-0.13, ORANGE), (0.0, YELLOW), (0.13, (190, 40, 60))):
        left, top = x + (offset - 0.04) * height, y - 0.16 * height
        pen.box(left, top, 0.08 * height, 0.15 * height, colour)
