# SPDX-License-Identifier: Apache-2.0
"""A camera that stands, pans and zooms."""

import numpy as np

from trireel_drawings.painting.canvas import View
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene
from trireel_drawings.scenes.travel import Travel

PAN = Travel(View(5.0, 4.0, 2.0), View(11.0, 5.0, 1.0), begin_seconds=1.0, seconds=2.0)


def test_the_view_moves_evenly_between_two_stands():
    views = [PAN.view(t) for t in (0.0, 1.0, 2.0, 3.0, 9.0)]
    assert [view.centre_x for view in views] == [5, 5, 8, 11, 11]
    assert [view.zoom for view in views] == [2, 2, 1.5, 1, 1]


def test_a_scene_is_seen_through_the_camera_that_is_passed():
    scene, size_px = draw_scene(HELD_OUT_SEED, *PAIRS[0]), (64, 36)
    still = Travel(View(), View())
    first, second = (scene.frame(1.0, size_px, camera=camera) for camera in (still, PAN))
    assert (first != second).any()
    assert np.array_equal(first, scene.frame(1.0, size_px, camera=still))


def test_a_shaken_camera_does_not_stand():
    shaken = Travel(View(), View(), shake=0.1)
    assert shaken.view(0.3).centre_x != shaken.view(0.5).centre_x
