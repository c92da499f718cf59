# SPDX-License-Identifier: Apache-2.0
"""The gym and the people who train in it."""

from trireel_drawings.figures.activities import Act, no_people
from trireel_drawings.figures.people import look, run, stand
from trireel_drawings.figures.props import LEFT, SPAN, barbell, room
from trireel_drawings.painting.canvas import Pen
from trireel_drawings.painting.colours import BRIGHT, DARK, ORANGE, RED, STEEL, YELLOW, vary
from trireel_drawings.painting.motion import sway
from trireel_drawings.places import vocabulary as words


def gym(pen: Pen) -> None:
    """Paint mirrors, a rack of weights, treadmills, a bench and big balls."""
    dice = pen.dice
    room(pen, (74, 80, 94), (54, 56, 62), 6.2)
    pen.box(LEFT, 0.2, SPAN, 0.3, vary(dice, dice.pick((ORANGE, YELLOW, (120, 220, 80))), 10))
    for pane in range(4):
        x = -2.6 + pane * 5.2
        pen.fade((x, 0.9, 5.0, 3.4), (150, 172, 190), (112, 130, 150), 4)
        pen.shape(((x + 2.4, 0.9), (x + 3.4, 0.9), (x + 1.6, 4.3), (x + 0.6, 4.3)), (176, 196, 210))
    for row in range(2):
        pen.box(-0.8, 4.4 + row * 1.1, 6.4, 0.2, STEEL)
        for weight in range(5):
            x = -0.4 + weight * 1.25
            colour = (RED, DARK, (50, 110, 190), YELLOW, DARK)[weight]
            pen.box(x + 0.2, 4.08 + row * 1.1, 0.6, 0.12, STEEL)
            pen.disc(x + 0.15, 4.12 + row * 1.1, 0.3, colour)
            pen.disc(x + 0.8, 4.12 + row * 1.1, 0.3, colour)
    for index in range(2):
        x = 10.2 + index * 4.6
        pen.shape(((x - 2.0, 7.6), (x + 1.8, 7.6), (x + 1.8, 8.1), (x - 2.2, 8.1)), (30, 32, 36))
        pen.line(((x + 1.4, 7.7), (x + 1.7, 4.6), (x + 0.7, 4.9)), 0.22, STEEL)
        pen.box(x + 1.2, 4.1, 0.9, 0.7, (36, 40, 46))
        pen.box(x + 1.35, 4.2, 0.6, 0.4, (90, 220, 160))
    with pen.thing("ball"):
        pen.disc(7.0, 7.0, 0.9, vary(dice, dice.pick(BRIGHT)))
    pen.box(0.4, 7.3, 4.0, 0.45, vary(dice, dice.pick((RED, (40, 100, 180), DARK))))
    for leg in (0.8, 3.6):
        pen.box(leg, 7.7, 0.25, 0.9, STEEL)


def lift_weights(pen: Pen) -> None:
    """Paint an athlete who pushes a loaded bar overhead and lets it down."""
    who = look(pen.dice)
    x, height = 6.4 + pen.dice.between(-1.0, 1.0), 5.6
    raise_ = 0.5 + sway(pen.t, 2.8, 0.5)
    bar = 0.12 * height - raise_ * 0.42 * height
    hands = ((-0.24 * height, bar), (0.24 * height, bar))
    stand(pen, x, 8.8, height, who, hands=hands)
    bar_y = 8.8 - 0.8 * height + bar
    barbell(pen, x, bar_y)


def run_treadmill(pen: Pen) -> None:
    """Paint a runner on the first treadmill."""
    run(pen, 9.8, 7.6, 5.4, look(pen.dice), facing=1, phase=pen.dice.roll())
    pen.box(8.2 - (pen.t * 2.0) % 0.6, 7.75, 3.6, 0.12, (90, 94, 100))


GYM_ACTS: dict[str, Act] = {
    words.LIFTING: lift_weights,
    words.RUNNING: run_treadmill,
    words.EMPTY: no_people,
}
