# SPDX-License-Identifier: Apache-2.0
"""HEIF and AVIF pictures: tiles, alpha and turns, against the ffmpeg command and Pillow."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from support.extraction import look, sample_chunk, whole
from support.heif import Item, alpha_of, coded_item, grid_item, turns, write_heif
from support.oracle import SIZE_PX, tiled_picture

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork

BRANDS = {"hevc": b"heic", "av1": b"avif"}
TURNS = {
    "upright": {},
    "quarter": {"quarters": 1},
    "half": {"quarters": 2},
    "rows mirrored": {"mirror": 0},
    "columns mirrored": {"mirror": 1},
    "turned, mirrored": {"quarters": 3, "mirror": 1},
}


@pytest.fixture(scope="module")
def blocks():
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (8, 10, 3), np.uint8).repeat(32, 0).repeat(32, 1)


@pytest.fixture(scope="module")
def tiles(blocks, tmp_path_factory):
    """Four tiles of 160 x 128 in each codec."""
    folder = tmp_path_factory.mktemp("tiles")
    return {codec: tiles_of(folder, blocks, codec) for codec in BRANDS}


def tiles_of(folder, picture, codec, pixel_format="yuv420p"):
    parts = [picture[r : r + 128, c : c + 160] for r in (0, 128) for c in (0, 160)]
    return [coded_item(folder, np.ascontiguousarray(p), codec, pixel_format) for p in parts]


def seen(path, **options):
    return sample_chunk(path, whole(look(path)), 1, SIZE_PX, **options).pixels[0].astype(int)


def grid_of(turn, *, in_meta=False, tiles=(1, 2, 3, 4)):
    grid = grid_item(2, 2, (250, 310), tiles)
    return replace(grid, properties=grid.properties + turns(**turn), in_meta=in_meta)


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
@pytest.mark.parametrize("codec", BRANDS)
def test_a_grid_is_the_whole_picture(tiles, tmp_path, codec, turn):
    grid = grid_of(turn, in_meta=bool(turn))
    path = write_heif(tmp_path / "grid.heic", [*tiles[codec], grid], 5, BRANDS[codec])
    info = look(path)
    assert (info.duration_seconds, info.is_complete, info.stream_index) == (0.04, True, 0)
    assert info.video_stream_indices == (0,)
    np.testing.assert_array_equal(seen(path), tiled_picture(path))


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p", "yuv444p", "gray"])
def test_a_grid_of_every_depth_and_subsampling(blocks, tmp_path, pixel_format):
    items = tiles_of(tmp_path, blocks, "hevc", pixel_format)
    path = write_heif(tmp_path / "grid.heic", [*items, grid_of({"quarters": 1})], 5)
    assert np.abs(seen(path) - tiled_picture(path)).mean() < 1


def test_a_region_of_a_grid_is_one_of_the_upright_picture(tiles, tmp_path):
    path = write_heif(tmp_path / "grid.heic", [*tiles["hevc"], grid_of({"quarters": 1})], 5)
    corner = seen(path, crop=(0.0, 0.0, 0.5, 0.5))[::2, ::2]
    assert np.abs(corner - seen(path)[:16, :16]).mean() < 40
    with pytest.raises(InvalidInput, match="upright picture of 250 x 310"):
        seen(path, crop=(0, 0, 310, 250, True))


def test_a_thumbnail_before_the_picture_is_not_the_picture(blocks, tmp_path):
    small = coded_item(tmp_path, np.zeros((64, 64, 3), np.uint8))
    large = coded_item(tmp_path, np.ascontiguousarray(blocks))
    small.refers = ((b"thmb", (2,)),)
    path = write_heif(tmp_path / "picture.heic", [small, large], 2)
    assert np.abs(seen(path) - tiled_picture(path)).mean() < 1


def test_a_picture_that_is_another_one_turned(blocks, tmp_path):
    coded = coded_item(tmp_path, np.ascontiguousarray(blocks))
    same = Item(b"iden", b"", turns(quarters=1), ((b"dimg", (1,)),))
    same_turned = replace(coded, properties=coded.properties + turns(quarters=1))
    expected = seen(write_heif(tmp_path / "plain.heic", [same_turned], 1))
    derived = seen(write_heif(tmp_path / "turned.heic", [coded, same], 2))
    np.testing.assert_array_equal(derived, expected)


def test_an_overlay_is_refused_in_a_sentence(tiles, tmp_path):
    overlay = Item(b"iovl", bytes(20), (), ((b"dimg", (1, 2)),))
    path = write_heif(tmp_path / "overlay.heic", [*tiles["hevc"], overlay], 5)
    with pytest.raises(NotAVideo, match="an overlay of others, which is not read"):
        look(path)


def test_a_grid_that_lacks_a_tile_is_refused(tiles, tmp_path):
    path = write_heif(tmp_path / "grid.heic", [*tiles["hevc"], grid_of({})], 5)
    data = path.read_bytes()
    path.write_bytes(data[: -len(tiles["hevc"][3].data) - 20])
    with pytest.raises(NotAVideo, match=r"damaged|parts"):
        seen(path)
    few = grid_item(2, 2, (250, 310), (1, 2, 3))
    path = write_heif(tmp_path / "few.heic", [*tiles["hevc"], few], 5)
    with pytest.raises(NotAVideo, match="HEIF or AVIF picture, but a damaged one"):
        look(path)


def test_limits_and_streams_of_a_grid(tiles, tmp_path):
    path = write_heif(tmp_path / "grid.heic", [*tiles["hevc"], grid_of({})], 5)
    with pytest.raises(InvalidInput, match="STREAM_INDEX is 1: a HEIF or AVIF picture has"):
        look(path, stream_index=1)
    with pytest.raises(TooMuchWork, match="the picture is 310 x 250"):
        look(path, max_frame_pixels=310 * 250 - 1)
    huge = grid_item(2, 2, (60000, 60000), (1, 2, 3, 4))
    path = write_heif(tmp_path / "huge.heic", [*tiles["hevc"], huge], 5)
    with pytest.raises(TooMuchWork, match="60000 x 60000"):
        look(path)


def half_transparent(blocks):
    alpha = np.full(blocks.shape[:2], 255, np.uint8)
    alpha[:, : blocks.shape[1] // 2] = 0
    return np.dstack([blocks, alpha])


def over_black(picture):
    """Compose by Pillow, and squash as Pillow does."""
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    composed = Image.alpha_composite(black, picture.convert("RGBA")).convert("RGB")
    return np.asarray(composed.resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC)).astype(int)


def test_an_avif_picture_is_composed_over_black(blocks, tmp_path):
    path = tmp_path / "alpha.avif"
    Image.fromarray(half_transparent(blocks)).save(path, quality=95, subsampling="4:4:4")
    with Image.open(path) as picture:
        assert np.abs(seen(path) - over_black(picture)).mean() < 3
    assert seen(path)[:, :14].max() == 0


def test_the_alpha_of_a_grid_is_a_grid(blocks, tiles, tmp_path):
    mask = half_transparent(blocks)[..., 3:].repeat(3, 2)
    grid = grid_of({"quarters": 1})
    items = [*tiles["hevc"], *tiles_of(tmp_path, mask, "hevc", "gray")]
    alpha = alpha_of(grid_of({}, tiles=(5, 6, 7, 8)), 9)
    path = write_heif(tmp_path / "grid.heic", [*items, grid, alpha], 9)
    picture = seen(path)
    assert picture[18:].max() <= 3  # the left half, turned to the bottom
    assert picture[:14].mean() > 60


def test_an_animation_has_its_alpha_in_a_second_track(blocks, tmp_path):
    path = tmp_path / "animation.avif"
    pictures = [
        Image.fromarray(np.roll(half_transparent(blocks), 32 * number, 1)) for number in range(10)
    ]
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=100, quality=90)
    frames = sample_chunk(path, whole(look(path)), 10, SIZE_PX)
    assert frames.timestamps_seconds.tolist() == pytest.approx(
        [number / 10 for number in range(10)]
    )
    for pixels, picture in zip(frames.pixels, pictures, strict=True):
        unseen = np.asarray(picture.resize((SIZE_PX, SIZE_PX)))[..., 3] == 0
        assert pixels[unseen].max() <= 12
        assert pixels[~unseen].mean() > 60
