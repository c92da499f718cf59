# SPDX-License-Identifier: Apache-2.0
"""Boxes around patches of a mask, against a plain flood fill."""

import numpy as np
import pytest

from trireel_backend.reading.patches import patch_boxes


def flooded(mask):
    """Boxes by flood fill, pixel by pixel."""
    left = {tuple(place) for place in np.argwhere(mask)}
    boxes = []
    while left:
        patch, edge = set(), {min(left)}
        while edge:
            patch |= edge
            left -= edge
            around = {(y + i, x + j) for y, x in edge for i in (-1, 0, 1) for j in (-1, 0, 1)}
            edge = around & left
        rows, columns = zip(*patch, strict=True)
        boxes.append((min(columns), min(rows), max(columns) + 1, max(rows) + 1))
    return boxes


@pytest.mark.parametrize("share", [0.05, 0.2, 0.35, 0.5, 0.8])
def test_random_masks_are_divided_as_by_a_flood_fill(share):
    generator = np.random.default_rng(7)
    for _ in range(30):
        mask = generator.random(generator.integers(1, 25, 2)) < share
        assert sorted(map(tuple, patch_boxes(mask).tolist())) == sorted(flooded(mask))


def test_a_spiral_is_one_patch():
    mask = np.zeros((41, 41), bool)
    for ring in range(0, 20, 2):
        mask[ring, ring - 1 if ring else 0 : 41 - ring] = True
        mask[ring : 41 - ring, 40 - ring] = True
        mask[40 - ring, ring : 41 - ring] = True
        mask[ring + 2 : 41 - ring, ring] = True
    assert sorted(map(tuple, patch_boxes(mask).tolist())) == sorted(flooded(mask))
    assert patch_boxes(mask)[0].tolist() == [0, 0, 41, 41]


def test_patches_come_in_the_order_of_their_first_pixels():
    mask = np.zeros((5, 12), bool)
    mask[3:, :2] = mask[0:2, 8:10] = mask[0:2, 4:5] = True
    assert patch_boxes(mask).tolist() == [[4, 0, 5, 2], [8, 0, 10, 2], [0, 3, 2, 5]]


@pytest.mark.parametrize("shape", [(4, 6), (1, 1), (0, 3)])
def test_an_empty_mask_has_no_patches(shape):
    assert patch_boxes(np.zeros(shape, bool)).shape == (0, 4)


def test_a_full_mask_is_one_patch():
    assert patch_boxes(np.ones((4, 6), bool)).tolist() == [[0, 0, 6, 4]]
