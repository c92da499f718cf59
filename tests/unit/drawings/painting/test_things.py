# SPDX-License-Identifier: Apache-2.0
"""Things of a picture: the box of what is seen of each, and the same picture as without them."""

import numpy as np

from trireel_drawings.figures.props import carton, screen
from trireel_drawings.painting.canvas import Pen, View
from trireel_drawings.painting.colours import RED, WHITE
from trireel_drawings.painting.things import TracingPen

SIZE_PX = (160, 90)  # ten pixels a unit
DAYLIGHT = (1.0, 1.0, 1.0)


def _pen(view: View | None = None) -> TracingPen:
    return TracingPen(SIZE_PX, view or View(), DAYLIGHT, 0.0)


def test_a_box_is_exactly_what_was_painted() -> None:
    pen = _pen()
    with pen.thing("card"):
        pen.box(2, 1, 3, 2, RED)
    (card,) = pen.things()
    red = np.argwhere(np.asarray(pen.image)[..., 0] > 100)
    (top, left), (bottom, right) = red.min(axis=0), red.max(axis=0) + 1
    assert (
        card.box
        == (left / 160, top / 90, right / 160, bottom / 90)
        == (0.125, 1 / 9, 0.3125, 1 / 3)
    )
    assert (card.label, card.number, card.visible) == ("card", 0, 1.0)


def test_what_is_painted_over_is_not_seen() -> None:
    pen = _pen()
    with pen.thing("card"):
        pen.box(2, 1, 4, 2, RED)
    pen.box(4, 0, 9, 9, WHITE)  # the wall hides the right half
    (card,) = pen.things()
    assert card.box == (0.125, 1 / 9, 0.25, 1 / 3)
    assert 0.45 < card.visible < 0.55


def test_a_thing_beyond_the_edge_is_cut() -> None:
    pen = _pen()
    with pen.thing("card"):
        pen.box(-3, 1, 4, 2, RED)
    (card,) = pen.things()
    assert card.box == (0.0, 1 / 9, 0.0625, 1 / 3)
    assert 0.2 < card.visible < 0.3


def test_a_hidden_thing_is_left_out_and_keeps_its_number() -> None:
    pen = _pen()
    for x in (2, 6):
        with pen.thing("card"):
            pen.box(x, 1, 2, 2, RED)
    pen.box(1, 0, 4, 4, WHITE)
    (second,) = pen.things()
    assert second.number == 1


def test_a_thing_in_another_is_a_thing_of_its_own() -> None:
    pen = _pen()
    with pen.thing("cart"):
        pen.box(2, 4, 6, 2, RED)
        carton(pen, 4, 5, 1, 1)
        pen.box(2, 6, 6, 1, RED)
    cart, box = pen.things()
    assert (cart.label, box.label) == ("cart", "carton")
    assert cart.box == (0.125, 4 / 9, 0.5, 7 / 9)


def test_a_mirrored_view_mirrors_the_boxes() -> None:
    boxes = []
    for mirrored in (False, True):
        pen = _pen(View(mirrored=mirrored))
        screen(pen, 2, 2, 4, 2)
        boxes.append(pen.things()[0].box)
    plain, mirror = boxes
    np.testing.assert_allclose(mirror, (1 - plain[2], plain[1], 1 - plain[0], plain[3]), atol=0.01)


def test_both_pens_paint_the_same_picture() -> None:
    pens = (Pen(SIZE_PX, View(zoom=1.2), DAYLIGHT, 3.0), _pen(View(zoom=1.2)))
    for pen in pens:
        screen(pen, 3, 2, 4, 2, lit=True)
        carton(pen, 9, 7, 2, 1.5)
    pens[1].t = 3.0
    assert pens[0].image.size == pens[1].image.size
    still, traced = (np.asarray(pen.image)[:, 80:] for pen in pens)
    np.testing.assert_array_equal(still, traced)
