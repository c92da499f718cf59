# SPDX-License-Identifier: Apache-2.0
"""Scenes: deterministic, any size, and every activity shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trireel_export
from trireel_drawings.places.register import PAIRS, PLACES
from trireel_drawings.places.vocabulary import COOKING
from trireel_drawings.scenes.check_pictures import draw_check_pictures
from trireel_drawings.scenes.scene import Scene, draw_scene

SIZE_PX = 64


@pytest.mark.parametrize(("tag", "description"), PAIRS)
def test_same_seed_gives_same_bytes(tag: str, description: str) -> None:
    first = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    again = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize(("tag", "description"), PAIRS)
def test_seed_time_and_activity_show(tag: str, description: str) -> None:
    frame = draw_scene(7, tag, description).frame(1.5, SIZE_PX)
    assert (frame != draw_scene(8, tag, description).frame(1.5, SIZE_PX)).any()
    assert (frame != draw_scene(7, tag, description).frame(2.5, SIZE_PX)).any()
    for other in PLACES[tag].acts:
        changed = frame != draw_scene(7, tag, other).frame(1.5, SIZE_PX)
        assert changed.any(axis=2).mean() > 0.01 or other == description


@pytest.mark.parametrize("size_px", [(96, 96), (384, 384), (160, 90), (34, 62)])
def test_frames_have_the_asked_size(size_px: tuple[int, int]) -> None:
    for oversampling in (1, 2):
        frame = draw_scene(1, "kitchen", COOKING).frame(0, size_px, oversampling=oversampling)
        assert frame.shape == (size_px[1], size_px[0], 3)
        assert frame.dtype == np.uint8


def test_square_frame_is_the_wide_one_squashed() -> None:
    scene = draw_scene(3, "kitchen", COOKING)
    wide = scene.frame(1.0, (192, 96)).reshape(96, 96, 2, 3).mean(axis=2)
    assert np.abs(wide - scene.frame(1.0, 96)).mean() < 10


def test_unknown_scene_is_refused() -> None:
    with pytest.raises(ValueError, match="no place is called 'moon'"):
        Scene(0, "moon", COOKING)
    with pytest.raises(ValueError, match="is not drawn in a beach"):
        Scene(0, "beach", COOKING)


def test_the_exporters_drawn_pictures_are_of_this_world() -> None:
    files = Path(trireel_export.__file__).parent / "checks/drawn"
    drawn = draw_check_pictures()
    assert set(drawn) == {path.name for path in files.glob("*.png")}
    for name, picture in drawn.items():
        stored = np.asarray(Image.open(files / name).convert("RGB"))
        np.testing.assert_array_equal(stored, np.asarray(picture))
