# SPDX-License-Identifier: Apache-2.0
"""Which part of the upright picture a view shows: a place in it is found back in the picture."""

from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest
from support.oracle import ffmpeg
from support.videos import write_video

from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions, SecondView
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import Sampling, Selection

WIDTH_PX, HEIGHT_PX = 192, 96
SPOT = (0.625, 0.25)  # its middle, of the upright picture
CROPS = [None, Crop(0.5, 0.125, 0.375, 0.5), Crop(0.51, 0.13, 0.3, 0.41)]


def picture(width_px, height_px):
    """Return an upright picture with a bright spot."""
    pixels = np.zeros((height_px, width_px, 3), np.uint8)
    x, y = (round(part * side) for part, side in zip(SPOT, (width_px, height_px), strict=True))
    pixels[y - 6 : y + 6, x - 6 : x + 6] = 255
    return pixels


def spot_of(pixels, shown):
    """Return the middle of the spot, as fractions of the upright picture."""
    rows, columns = np.nonzero(pixels[..., 1] > 128)
    height_px, width_px = pixels.shape[:2]
    left, top, width, height = shown
    x, y = (columns.mean() + 0.5) / width_px, (rows.mean() + 0.5) / height_px
    return left + x * width, top + y * height


def view_of(path, view, *, selection=Selection.RATE, isolated=False):
    """Return the first frame of a second view, and what it shows."""
    second = SecondView(view, max_frames=64, fps=2.0, selection=selection)
    task = ExtractionTask(path, 5.0, Sampling(2), View.square(32), second_views=(second,))
    options = ExtractorOptions()
    if isolated:
        with closing(IsolatedExtractor(options, 2**20, 2**22)) as extractor:
            ((frames,),) = extractor.run(task).second_frames
    else:
        ((frames,),) = Extractor(options).run(task).second_frames
    return frames.pixels[0], frames.shown


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    frames = [picture(WIDTH_PX, HEIGHT_PX)] * 5
    return write_video(tmp_path_factory.mktemp("shown") / "plain.mp4", frames)


@pytest.mark.parametrize("keeps_aspect", [False, True])
@pytest.mark.parametrize("crop", CROPS, ids=str)
@pytest.mark.parametrize("isolated", [False, True])
def test_a_place_is_found_back(plain, crop, keeps_aspect, isolated):
    view = View(80, 64, crop, keeps_aspect=keeps_aspect)
    found = spot_of(*view_of(plain, view, isolated=isolated))
    assert found == pytest.approx(SPOT, abs=0.01)


@pytest.fixture(scope="module", params=["90", "180", "270", "hflip"])
def turned(request, plain):
    """The video, turned by its header; its pixels are twice as wide as high."""
    path = plain.with_name(f"turned {request.param}.mp4")
    way = ["-display_rotation", request.param]
    if request.param == "hflip":
        way = ["-display_rotation", "0", "-display_hflip"]
    aspect = ["-bsf:v", "h264_metadata=sample_aspect_ratio=2/1"]
    ffmpeg(*way, "-i", plain, "-c", "copy", *aspect, path)
    return path


@pytest.mark.parametrize("keeps_aspect", [False, True])
@pytest.mark.parametrize("crop", CROPS, ids=str)
def test_a_place_is_found_back_in_a_turned_video(turned, crop, keeps_aspect):
    expected = spot_of(*view_of(turned, View(160, 160)))
    if crop is not None:  # around the spot, wherever it is now
        crop = Crop(max(0, expected[0] - 0.2), max(0, expected[1] - 0.23), 0.35, 0.45)
    view = View(80, 64, crop, keeps_aspect=keeps_aspect)
    assert spot_of(*view_of(turned, view)) == pytest.approx(expected, abs=0.015)


def test_a_view_that_keeps_the_aspect_has_bars(plain):
    pixels, shown = view_of(plain, View(80, 64, keeps_aspect=True))
    assert shown == (0.0, 0.0, 1.0, 1.6)  # 192 x 96 is drawn as 80 x 40
    assert not pixels[40:].any()
    rows, columns = np.nonzero(pixels[..., 1] > 128)
    assert np.ptp(rows) == np.ptp(columns)  # the spot is a square


def test_wide_pixels_count_as_wide(turned):
    """Of a turned picture they are high: its shape is that of the player."""
    pixels, shown = view_of(turned, View(100, 100, keeps_aspect=True))
    drawn_px = (round(100 / shown[2]), round(100 / shown[3]))
    assert drawn_px in {(100, 25), (25, 100)}  # 192 x 96 with pixels of 2 x 1 is 384 x 96
    assert not pixels[drawn_px[1] :].any()
    assert not pixels[:, drawn_px[0] :].any()


@pytest.mark.parametrize("selection", [Selection.EVERY, Selection.CHANGES])
def test_views_by_other_rules_say_what_they_show(plain, selection):
    view = View(96, 48, CROPS[1])
    assert spot_of(*view_of(plain, view, selection=selection)) == pytest.approx(SPOT, abs=0.02)


def test_a_region_without_bars_is_the_crop():
    assert View(8, 8).shown(100, 50, Fraction(1)) == (0.0, 0.0, 1.0, 1.0)
    assert View(8, 8, Crop(0.25, 0.5, 0.5, 0.5)).shown(100, 50, Fraction(2)) == (
        0.25,
        0.5,
        0.5,
        0.5,
    )
    in_pixels = Crop(10, 5, 50, 25, in_pixels=True)
    assert View(8, 8, in_pixels).shown(100, 50, Fraction(1)) == (0.1, 0.1, 0.5, 0.5)


def test_a_thin_region_has_at_least_a_pixel():
    view = View(64, 64, keeps_aspect=True)
    assert view.drawn_size_px(4000, 2, Fraction(1)) == (64, 1)
    assert view.drawn_size_px(64, 64, Fraction(1, 100)) == (1, 64)
