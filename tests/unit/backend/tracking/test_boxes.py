# SPDX-License-Identifier: Apache-2.0
"""Boxes: detections that repeat a better one are left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trireel_backend.tracking.boxes import Boxes, distinct

FOUND = st.lists(
    st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 6)] * 2, st.integers(0, 1)), max_size=12
)


def iou(first: Boxes, second: Boxes) -> float:
    """Return the intersection over union of two boxes, counted in cells of a raster."""
    rasters = []
    for left, top, right, bottom in (first, second):
        raster = np.zeros((16, 16), bool)
        raster[int(top) : int(bottom), int(left) : int(right)] = True
        rasters.append(raster)
    return float((rasters[0] & rasters[1]).sum() / (rasters[0] | rasters[1]).sum())


@given(found=FOUND, most_overlap=st.sampled_from([0.2, 0.5, 0.8]))
def test_what_is_left_out_repeats_a_better_one(found: list, most_overlap: float) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in found], float).reshape(-1, 4)
    labels = np.array([label for *_, label in found], np.int32)
    kept = distinct(boxes, labels, most_overlap).tolist()
    for row in range(len(found)):
        better = [one for one in kept if one < row and labels[one] == labels[row]]
        repeats = any(iou(boxes[one], boxes[row]) > most_overlap for one in better)
        assert (row in kept) == (not repeats)


@pytest.mark.parametrize("label", [0, 1])
def test_another_label_is_another_thing(label: int) -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0]] * 2)
    assert len(distinct(boxes, np.array([0, label], np.int32), 0.5)) == 1 + label
