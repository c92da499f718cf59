# SPDX-License-Identifier: Apache-2.0
"""The dense loss: small for the right answers of the right cells, and larger for others."""

import numpy as np
import pytest
import torch

from trireel_drawings.detection.dense import Cells, dense_loss
from trireel_drawings.detection.pictures import HEIGHT_PX, LABELS, WIDTH_PX, Truth

SHAPES = ((20, 32), (10, 16), (5, 8))
CELLS = 20 * 32 + 10 * 16 + 5 * 8
SMALL, LARGE = (0.40, 0.40, 0.46, 0.50), (0.1, 0.1, 0.8, 0.9)
SURE, LABEL = 9.0, 3


def _truth(box, hidden=False) -> Truth:
    return Truth(np.array([box], np.float32), np.array([LABEL]), np.array([hidden]))


def _cells(box, first, shape, label=LABEL) -> Cells:
    """Say that the middle cell of a box is its centre, and that all cells have the box."""
    logits = torch.full((1, CELLS, len(LABELS)), -SURE)
    rows, columns = shape
    middle_x, middle_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    logits[0, first + int(middle_y * rows) * columns + int(middle_x * columns), label] = SURE
    boxes = torch.tensor([middle_x, middle_y, box[2] - box[0], box[3] - box[1]])
    return Cells(logits, boxes.expand(1, CELLS, 4).clone(), SHAPES)


@pytest.mark.parametrize(
    ("box", "first", "shape"),
    [(SMALL, 0, SHAPES[0]), (LARGE, CELLS - 40, SHAPES[2])],
)
def test_the_right_cell_of_the_right_map_costs_little(box, first, shape) -> None:
    right = float(dense_loss(_cells(box, first, shape), [_truth(box)]))
    assert right < 0.1
    other_map = _cells(box, 640, SHAPES[1])
    other_class = _cells(box, first, shape, label=LABEL + 1)
    for wrong in (other_map, other_class):
        assert float(dense_loss(wrong, [_truth(box)])) > right + 5


def test_a_box_beside_its_thing_costs_by_its_size() -> None:
    costs = []
    for box, first, shape in ((SMALL, 0, SHAPES[0]), (LARGE, CELLS - 40, SHAPES[2])):
        cells = _cells(box, first, shape)
        cells.boxes[..., 0] += 0.02
        costs.append(float(dense_loss(cells, [_truth(box)])))
    assert costs[0] > 2 * costs[1]


def test_a_hidden_thing_is_not_learnt() -> None:
    nothing = Cells(
        torch.full((1, CELLS, len(LABELS)), -SURE), torch.full((1, CELLS, 4), 0.5), SHAPES
    )
    assert float(dense_loss(nothing, [_truth(SMALL, hidden=True)])) < 0.1
    assert float(dense_loss(nothing, [_truth(SMALL)])) > 5


def test_the_maps_are_those_of_the_detectors_strides() -> None:
    assert tuple((HEIGHT_PX // stride, WIDTH_PX // stride) for stride in (8, 16, 32)) == SHAPES
