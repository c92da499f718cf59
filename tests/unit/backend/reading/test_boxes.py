# SPDX-License-Identifier: Apache-2.0
"""Boxes of lines in text maps: thresholds, growth, order, and pieces of one line."""

import numpy as np
import pytest

from trireel_backend.reading.boxes import BoxRules, TextBoxes, joined_lines, text_boxes

HEIGHT, WIDTH = 96, 320


def map_with(*patches):
    """A text map with patches of x1, y1, x2, y2, probability."""
    text_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x1, y1, x2, y2, probability in patches:
        text_map[y1:y2, x1:x2] = round(255 * probability)
    return text_map


def found_at(*boxes):
    return TextBoxes(np.array(boxes, np.int32).reshape(-1, 4), np.ones(len(boxes), np.float32))


def test_a_box_grows_by_area_over_perimeter():
    """A core of 101 x 21 pixels, one of them by the mask that joins; 1.6 * 2121 / 244 = 13.9."""
    found = text_boxes(map_with((100, 40, 200, 60, 0.9)))
    assert found.boxes.tolist() == [[86, 26, 215, 75]]
    assert found.scores[0] == pytest.approx(0.9 * 100 * 20 / (101 * 21), abs=0.01)


def test_a_box_ends_at_the_edges_of_the_picture():
    found = text_boxes(map_with((0, 0, 320, 20, 0.9)), (30, 300))
    assert found.boxes.tolist() == [[0, 0, 300, 30]]


def test_padding_holds_no_text():
    assert len(text_boxes(map_with((100, 40, 200, 60, 0.9)), (40, 320))) == 0


@pytest.mark.parametrize(
    ("patch", "count"),
    [
        ((100, 40, 200, 60, 0.29), 0),
        ((100, 40, 200, 60, 0.45), 0),
        ((100, 40, 200, 60, 0.6), 1),
        ((100, 40, 101, 41, 1.0), 0),
    ],
)
def test_weak_and_tiny_patches_are_no_lines(patch, count):
    assert len(text_boxes(map_with(patch))) == count


def test_rules_change_what_is_found():
    weak = map_with((100, 40, 200, 60, 0.45))
    assert len(text_boxes(weak, rules=BoxRules(least_score=0.4))) == 1
    two = map_with((10, 10, 60, 20, 0.9), (10, 60, 60, 70, 0.9))
    assert len(text_boxes(two, rules=BoxRules(most_boxes=1))) == 1


def test_boxes_come_row_by_row_from_the_left():
    """The right word of the first row begins one pixel higher than the left one."""
    found = text_boxes(
        map_with((200, 9, 260, 20, 0.9), (20, 60, 90, 70, 0.9), (30, 10, 90, 20, 0.9))
    )
    assert [box[0] > 150 for box in found.boxes.tolist()] == [False, True, False]
    assert [box[1] > 40 for box in found.boxes.tolist()] == [False, False, True]


def test_a_map_without_text_has_no_boxes():
    found = text_boxes(np.zeros((HEIGHT, WIDTH), np.uint8))
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0,))
    assert len(joined_lines(found)) == 0


def test_pieces_of_a_row_become_one_line():
    found = joined_lines(found_at((10, 10, 60, 30), (75, 11, 120, 31), (130, 9, 200, 29)))
    assert found.boxes.tolist() == [[10, 9, 200, 31]]


@pytest.mark.parametrize("other", [(90, 10, 150, 30), (62, 24, 150, 44), (65, 10, 90, 60)])
def test_far_low_and_large_boxes_stay_apart(other):
    assert len(joined_lines(found_at((10, 10, 60, 30), other))) == 2


def test_a_line_is_as_sure_as_its_weakest_piece():
    boxes = np.array([[10, 10, 60, 30], [70, 10, 90, 30]], np.int32)
    found = joined_lines(TextBoxes(boxes, np.array([0.9, 0.6], np.float32)))
    assert found.scores.tolist() == pytest.approx([0.6])
