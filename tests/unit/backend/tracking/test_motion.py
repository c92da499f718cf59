# SPDX-License-Identifier: Apache-2.0
"""Boxes, and the filters that predict them."""

import numpy as np
import pytest

from trireel_backend.tracking.boxes import enlarged, of_centres, overlaps, to_centres
from trireel_backend.tracking.motion import Motion, predict, update

BOX = np.array([[0.1, 0.2, 0.3, 0.6]])
SPEED = np.array([0.2, -0.1, 0.2, -0.1])


def test_overlaps_are_of_the_shared_area():
    others = np.array([[0.2, 0.2, 0.4, 0.6], [0.1, 0.2, 0.3, 0.6], [0.3, 0.2, 0.5, 0.6]])
    assert overlaps(BOX, others) == pytest.approx(np.array([[1 / 3, 1.0, 0.0]]))


def test_boxes_without_area_overlap_with_nothing():
    point = np.array([[0.2, 0.2, 0.2, 0.2]])
    assert overlaps(point, np.concatenate([point, BOX])).tolist() == [[0.0, 0.0]]


def test_enlarged_boxes_keep_their_centre():
    large = enlarged(BOX, 0.5)
    assert to_centres(large)[0] == pytest.approx([0.2, 0.4, 0.4, 0.8])
    assert of_centres(to_centres(BOX)) == pytest.approx(BOX)


@pytest.mark.parametrize("fps", [1, 2, 10, 30])
def test_a_steady_box_is_predicted_at_any_rate(fps):
    """Three seconds of frames, then the box of the next frame."""
    motion = Motion.of(BOX)
    for frame in range(1, 3 * fps + 1):
        motion = update(predict(motion, 1 / fps), BOX + SPEED * frame / fps)
    expected = BOX + SPEED * (3 * fps + 1) / fps
    assert predict(motion, 1 / fps).boxes == pytest.approx(expected, abs=0.01)


def test_no_time_changes_nothing():
    motion = predict(Motion.of(BOX), 0.5)
    same = predict(motion, 0.0)
    assert same.values.tolist() == motion.values.tolist()
    assert same.variances.tolist() == motion.variances.tolist()


def test_a_box_that_shrinks_does_not_turn_round():
    motion = update(predict(Motion.of(BOX), 0.5), np.array([[0.15, 0.3, 0.25, 0.5]]))
    sides = predict(motion, 10.0).values[0, 2:]
    assert (sides > 0).all()


def test_filters_of_other_shapes_are_no_state():
    with pytest.raises(ValueError, match="shapes"):
        Motion(np.zeros((2, 4)), np.zeros((1, 4)), np.zeros((2, 4, 3)))
