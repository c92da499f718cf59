# SPDX-License-Identifier: Apache-2.0
"""Transparency of every kind is composed over black, as the ffmpeg command does it."""

import numpy as np
import pytest
from PIL import Image
from support.extraction import look, sample_chunk, slot_middles, whole
from support.oracle import OVER_BLACK, SIZE_PX, ffmpeg, first_picture

from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

FAST = "-deadline realtime -cpu-used 8"
FRAMES, WIDTH_PX, HEIGHT_PX = 60, 128, 96
# The transparent part is wider and wider, over red; it is moved every frame.
PATTERN = (
    f"color=red:s={WIDTH_PX}x{HEIGHT_PX}:r=25:d={FRAMES / 25},format=rgba,"
    f"geq=r='200':g='X':b='Y':a='255*gt(X,N*2)'"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("alpha") / "source.mov"
    ffmpeg("-f", "lavfi", "-i", PATTERN, "-c:v", "qtrle", path)
    return path


# name: (suffix, options, options of the command that reads it)
KINDS = {
    "VP9 WebM": ("webm", f"-c:v libvpx-vp9 {FAST} -pix_fmt yuva420p -g 13", "-c:v libvpx-vp9"),
    "VP9 MKV, hidden frames": (
        "mkv",
        f"-c:v libvpx-vp9 {FAST} -pix_fmt yuva420p -g 100 -auto-alt-ref 0 -lag-in-frames 16",
        "-c:v libvpx-vp9",
    ),
    "VP8 WebM": (
        "webm",
        f"-c:v libvpx {FAST} -pix_fmt yuva420p -auto-alt-ref 0 -g 20",
        "-c:v libvpx",
    ),
    "ProRes 4444": ("mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", ""),
    "Animation": ("mov", "-c:v qtrle", ""),
    "PNG in MOV": ("mov", "-c:v png", ""),
    "PNG of 16 bit": ("mov", "-c:v png -pix_fmt rgba64be", ""),
    "FFV1 YUV": ("mkv", "-c:v ffv1 -pix_fmt yuva422p", ""),
    "FFV1 10 bit RGB": ("mkv", "-c:v ffv1 -pix_fmt gbrap10le", ""),
    "Ut Video": ("avi", "-c:v utvideo -pix_fmt gbrap", ""),
    "Huffyuv": ("avi", "-c:v huffyuv -pix_fmt bgra", ""),
    "MagicYUV": ("avi", "-c:v magicyuv -pix_fmt yuva444p", ""),
    "Hap Alpha": ("mov", "-c:v hap -format hap_alpha", ""),
    "APNG": ("apng", "-c:v apng -f apng", ""),
    "GIF": ("gif", "-filter_complex split[a][b];[a]palettegen[p];[b][p]paletteuse", ""),
}


def made(source, folder, kind):
    suffix, options, _ = KINDS[kind]
    path = folder / f"video.{suffix}"
    ffmpeg("-i", source, *options.split(), path)
    return path


def read_by_command(path, kind):
    """Return all frames [f, S, S, 3] as the command composes them over black."""
    filters = f"{OVER_BLACK},scale={SIZE_PX}:{SIZE_PX}:flags=bicubic"
    before = KINDS[kind][2].split()
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    data = ffmpeg(*before, "-i", path, "-fps_mode", "passthrough", "-vf", filters, *raw)
    return np.frombuffer(data, np.uint8).reshape(-1, SIZE_PX, SIZE_PX, 3).astype(int)


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_of_every_codec_is_composed_over_black(source, tmp_path, kind):
    path = made(source, tmp_path, kind)
    everything, info = read_by_command(path, kind), look(path)
    assert len(everything) == FRAMES
    sampler = VideoSampler(VideoFile(path))
    step = info.duration_seconds / 4
    try:
        for part in (0, 1, 3, 2, 0):  # in any order: the alpha is sought too
            chunk = Chunk(part, info.start_seconds + part * step, step)
            frames = sampler.sample(chunk, Sampling(5), View.square(SIZE_PX))
            for slot, middle in enumerate(slot_middles(chunk.start_seconds, step, 5)):
                number = int((middle - info.start_seconds) / info.duration_seconds * FRAMES)
                difference = np.abs(frames.pixels[slot] - everything[number])
                assert difference.mean() < 1
                assert difference.max() <= 40  # at the edge, of releases that round differently
            assert frames.damaged_packets == 0
    finally:
        sampler.close()


def test_keyframes_alone_have_their_alpha(source, tmp_path):
    path = made(source, tmp_path, "VP9 WebM")
    everything = read_by_command(path, "VP9 WebM")
    frames = sample_chunk(path, whole(look(path)), 5, SIZE_PX, keyframes_only=True)
    assert 3 <= len(frames.pts) <= 5
    for pixels, seconds in zip(frames.pixels, frames.timestamps_seconds, strict=True):
        assert np.abs(pixels - everything[round(seconds * 25)]).mean() < 1


def test_alpha_that_is_not_announced_is_not_read(source, tmp_path):
    path = made(source, tmp_path, "VP9 WebM")
    data = path.read_bytes()
    assert data.count(b"\x53\xc0\x81\x01") == 1  # AlphaMode of its track
    path.write_bytes(data.replace(b"\x53\xc0\x81\x01", b"\x53\xc0\x81\x00"))
    assert np.abs(sample_chunk(path, whole(look(path)), 1, 8).pixels[0, :, 0]).mean() > 60


@pytest.mark.parametrize("kind", ["VP9 WebM", "ProRes 4444"])
def test_a_turned_video_keeps_its_alpha(source, tmp_path, kind):
    path = made(source, tmp_path, kind)
    turned = tmp_path / f"turned{path.suffix}"
    ffmpeg("-display_rotation", "90", "-i", path, "-c", "copy", turned)
    plain, other = (sample_chunk(p, whole(look(p)), 4, SIZE_PX).pixels for p in (path, turned))
    assert np.abs(np.rot90(plain, 1, (1, 2)).astype(int) - other).mean() < 3


def test_an_interlaced_frame_with_alpha_is_of_one_moment(tmp_path):
    fields = "geq=r='200*eq(mod(Y,2),0)':g='200*eq(mod(Y,2),1)':b=0:a='255*gt(X,64)'"
    pattern = f"color=red:s=128x96:r=25:d=0.2,format=rgba,{fields},setfield=tff"
    path = tmp_path / "fields.mov"
    codec = "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le -flags +ildct"
    ffmpeg("-f", "lavfi", "-i", pattern, *codec.split(), path)
    picture = sample_chunk(path, whole(look(path)), 1, SIZE_PX).pixels[0]
    assert picture[:, :14].max() <= 2
    assert picture[:, 18:, 0].mean() > 150
    assert picture[:, 18:, 1].mean() < 50


def test_unseen_colours_do_not_run_into_their_neighbours(tmp_path):
    """White that is not seen lies between black that is: all of it is black."""
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:, ::2, :3] = 255
    picture[:, 1::2, 3] = 255
    path = tmp_path / "stripes.png"
    Image.fromarray(picture).save(path)
    assert sample_chunk(path, whole(look(path)), 1, 16).pixels.max() <= 1


def test_alpha_of_hdr_is_composed_before_it_is_tone_mapped(source, tmp_path):
    tags = "-color_trc arib-std-b67 -color_primaries bt2020 -colorspace bt2020nc"
    path = tmp_path / "hlg.mov"
    codec = "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le"
    ffmpeg("-i", source, *codec.split(), *tags.split(), path)
    middle = sample_chunk(path, Chunk(0, 1.2, 0.04), 1, SIZE_PX).pixels[0]
    assert middle[:, :14].max() <= 2
    assert middle[:, 18:].mean() > 20


@pytest.mark.parametrize("suffix", ["webp", "gif", "png", "tiff"])
def test_still_pictures_with_alpha(tmp_path, suffix):
    picture = np.full((48, 64, 4), (200, 90, 30, 255), np.uint8)
    picture[:, :32, 3] = 0
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(picture).save(path, **({"lossless": True} if suffix == "webp" else {}))
    pixels = sample_chunk(path, whole(look(path)), 1, SIZE_PX).pixels[0].astype(int)
    assert pixels[:, :14].max() == 0
    np.testing.assert_allclose(pixels[:, 18:], np.full((32, 14, 3), (200, 90, 30)), atol=2)


def test_an_animated_webp_with_alpha(tmp_path):
    pictures = []
    for number in range(4):
        picture = np.full((48, 64, 4), (200, 90, 30, 255), np.uint8)
        picture[:, : 16 * number, 3] = 0
        pictures.append(Image.fromarray(picture))
    path = tmp_path / "animated.webp"
    others = pictures[1:]
    pictures[0].save(path, save_all=True, append_images=others, duration=100, lossless=True)
    frames = sample_chunk(path, whole(look(path)), 4, SIZE_PX)
    for number, pixels in enumerate(frames.pixels):
        assert pixels[:, : max(0, 8 * number - 2)].max(initial=0) == 0
        expected = np.full_like(pixels[:, 8 * number + 2 :], (200, 90, 30))
        np.testing.assert_array_equal(pixels[:, 8 * number + 2 :], expected)


def test_a_palette_with_half_transparent_colours(tmp_path):
    picture = Image.new("RGBA", (64, 48), (200, 100, 40, 128))
    path = tmp_path / "half.png"
    picture.save(path)
    assert np.abs(first_picture(path, OVER_BLACK) - [100, 50, 20]).max() <= 2
    pixels = sample_chunk(path, whole(look(path)), 1, SIZE_PX).pixels[0]
    assert np.abs(pixels - np.array([100, 50, 20])).max() <= 2
