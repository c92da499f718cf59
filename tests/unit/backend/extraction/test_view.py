# SPDX-License-Identifier: Apache-2.0
"""A region of the picture against the ffmpeg command, and against turning whole arrays."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.extraction import look, sample_chunk, whole
from support.videos import numbered_frame, write_video

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.view import Crop, Region, turned_back

from .test_hard import ORIENTATIONS, quarters, turn

WIDTH_PX, HEIGHT_PX, SIZE_PX = 160, 120, 32


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    rng = np.random.default_rng(3)
    shape = (HEIGHT_PX // 4, WIDTH_PX // 4, 3)
    picture = rng.integers(0, 256, shape, np.uint8).repeat(4, 0).repeat(4, 1)
    return write_video(tmp_path_factory.mktemp("noise") / "noise.mkv", [picture] * 3)


def seen(path, crop):
    return sample_chunk(path, whole(look(path)), 1, SIZE_PX, crop=crop).pixels[0].astype(int)


def command(path, left, top, width, height):
    """Return what the ffmpeg command makes of a region of a video's first frame."""
    filters = f"crop={width}:{height}:{left}:{top}:exact=1,scale={SIZE_PX}:{SIZE_PX}"
    arguments = ["-v", "error", "-i", str(path), "-frames:v", "1", "-vf", filters]
    arguments += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), *arguments], capture_output=True, check=True, timeout=60
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(SIZE_PX, SIZE_PX, 3).astype(int)


REGIONS = [(0, 0, 160, 120), (40, 30, 80, 60), (41, 31, 77, 55), (159, 119, 1, 1), (0, 60, 3, 50)]


@pytest.mark.parametrize("region", REGIONS)
def test_pixels_of_a_region_are_those_of_the_ffmpeg_command(noise, region):
    difference = np.abs(seen(noise, (*region, True)) - command(noise, *region))
    assert difference.max() <= 6  # the command is of another release than the library
    assert difference.mean() < 0.05


def test_fractions_and_pixels_name_the_same_region(noise):
    by_fractions = seen(noise, (0.25, 0.5, 0.5, 0.25))
    np.testing.assert_array_equal(by_fractions, seen(noise, (40, 60, 80, 30, True)))
    np.testing.assert_array_equal(seen(noise, (0.0, 0.0, 1.0, 1.0)), seen(noise, None))


@pytest.mark.parametrize(
    "matrix",
    [
        *((1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)),
        *((-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)),
    ],
    ids=ORIENTATIONS,
)
def test_a_region_is_one_of_the_upright_picture(tmp_path, matrix):
    path = turn(write_video(tmp_path / "turned.mp4", [quarters()] * 3), matrix)
    everything = seen(path, None)
    for left, top in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
        corner = seen(path, (left, top, 0.5, 0.5))[8:24, 8:24].mean(axis=(0, 1))
        row, column = int(top * SIZE_PX) + 8, int(left * SIZE_PX) + 8
        assert np.abs(corner - everything[row, column]).max() < 12


@given(
    quarter=st.integers(-4, 4),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    corner=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    sides=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_turning_back_is_the_inverse_of_turning(quarter, size, corner, sides):
    stored = np.arange(size[0] * size[1]).reshape(size)
    upright = np.rot90(stored, quarter)
    top, left = corner[0] % upright.shape[0], corner[1] % upright.shape[1]
    region = Region(
        left, top, min(sides[1], upright.shape[1] - left), min(sides[0], upright.shape[0] - top)
    )
    back = turned_back(region, quarter, size[1], size[0])
    part = stored[
        back.top_px : back.top_px + back.height_px, back.left_px : back.left_px + back.width_px
    ]
    wanted = upright[top : top + region.height_px, left : left + region.width_px]
    np.testing.assert_array_equal(np.rot90(part, quarter), wanted)


def test_a_region_of_an_interlaced_frame_is_of_one_moment(tmp_path):
    frame = np.full((64, 96, 3), 30, np.uint8)
    frame[0::2, 20:40] = 230
    frame[1::2, 60:80] = 230
    params = {"x264-params": "interlaced=1:tff=1:keyint=1", "crf": "5", "flags": "+ildct+ilme"}
    path = write_video(tmp_path / "fields.mkv", [frame] * 3, options=params)
    picture = seen(path, (16, 31, 68, 1, True))
    assert picture[16, 6].mean() > 190
    assert picture[16, 26].mean() < 70


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.integers(1, 50), st.integers(1, 50))
def test_a_fraction_is_always_some_pixels_inside(values, width_px, height_px):
    left, top, width, height = values
    crop = Crop(
        left * 0.999, top * 0.999, max(1e-3, width * (1 - left)), max(1e-3, height * (1 - top))
    )
    region = crop.region(width_px, height_px)
    assert 0 <= region.left_px < region.left_px + region.width_px <= width_px
    assert 0 <= region.top_px < region.top_px + region.height_px <= height_px


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.5, 0.0, 0.6, 1.0), r"CROP is \[0.5, 0, 0.6, 1\]: give left, top, width and height as"),
        ((-0.1, 0.0, 0.5, 1.0), "inside 0 to 1"),
        ((0.0, 0.0, 0.0, 1.0), "the sides above 0"),
        ((float("nan"), 0.0, 0.5, 1.0), r"CROP is \[nan"),
        ((0.0, float("nan"), 1.0, 1.0), r"CROP is \[0, nan"),
        ((0.0, 0.0, 1.0, float("nan")), r"CROP is \[0, 0, 1, nan"),
        ((0.0, 0.0, float("inf"), 1.0), r"CROP is \[0, 0, inf"),
        ((0, 0, 0, 5, True), r"CROP_PX is \[0, 0, 0, 5\]: .* in pixels, the sides above 0"),
        ((-1, 0, 5, 5, True), r"CROP_PX is \[-1"),
    ],
)
def test_what_is_no_region_is_refused(values, message):
    with pytest.raises(InvalidInput, match=message):
        Crop(*values)


def test_a_region_beyond_the_picture_is_refused_with_the_size(tmp_path):
    path = write_video(tmp_path / "clip.mp4", [numbered_frame(1)] * 3)
    with pytest.raises(InvalidInput, match="is not inside the upright picture of 64 x 48"):
        seen(path, (0, 0, 65, 48, True))
    turned = turn(path, (0, 1, -1, 0))
    assert seen(turned, (0, 0, 48, 64, True)).shape == (SIZE_PX, SIZE_PX, 3)
    with pytest.raises(InvalidInput, match="upright picture of 48 x 64"):
        seen(turned, (0, 0, 64, 48, True))
