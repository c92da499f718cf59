# SPDX-License-Identifier: Apache-2.0
"""Colour descriptions: every one that a stream can state is drawn, at worst as unspecified."""

import av
import numpy as np
import pytest
from support.extraction import look, sample_chunk, whole
from support.oracle import SIZE_PX, ffmpeg, first_picture
from support.videos import numbered_frame, write_video

from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

# Values of ITU-T H.273: FFmpeg's scaler lacks the first of each, and some others.
MATRICES = {"identity": 0, "ycgco": 8, "bt2020 constant": 10, "smpte2085": 11, "derived": 12}
MATRICES |= {"derived constant": 13, "ictcp": 14, "ipt-c2": 15, "ycgco-re": 16, "ycgco-ro": 17}
KNOWN_MATRICES = {"bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020": 9}
H273_VALUES = range(256)


@pytest.fixture(scope="module")
def blocks():
    rng = np.random.default_rng(8)
    return rng.integers(0, 256, (6, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1)


def seen(path):
    return sample_chunk(path, whole(look(path)), 1, SIZE_PX).pixels[0].astype(int)


@pytest.fixture(scope="module")
def plain(blocks, tmp_path_factory):
    """H.264 and HEVC without a colour description."""
    folder = tmp_path_factory.mktemp("plain")
    write_video(folder / "h264.ts", [blocks] * 3)
    options = {"x265-params": "log-level=none"}
    write_video(folder / "hevc.ts", [blocks] * 3, codec="libx265", options=options)
    return folder


def described(plain, codec, path, *, matrix=2, primaries=2, transfer=2):
    """Write a colour description into a stream, which is else left as it is."""
    values = f"matrix_coefficients={matrix}:colour_primaries={primaries}"
    values += f":transfer_characteristics={transfer}"
    source = plain / f"{codec}.ts"
    ffmpeg("-i", source, "-c", "copy", "-bsf:v", f"{codec}_metadata={values}", path)
    return path


@pytest.mark.parametrize("matrix", [*MATRICES.values(), 3, 18, 200], ids=str)
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_an_unknown_matrix_is_as_an_unspecified_one(plain, tmp_path, codec, matrix):
    path = described(plain, codec, tmp_path / "video.mp4", matrix=matrix)
    unspecified = described(plain, codec, tmp_path / "plain.mp4")
    np.testing.assert_array_equal(seen(path), seen(unspecified))
    assert np.abs(seen(path) - first_picture(unspecified)).max() <= 6


@pytest.mark.parametrize("matrix", KNOWN_MATRICES.values(), ids=KNOWN_MATRICES)
def test_a_known_matrix_is_that_of_the_ffmpeg_command(plain, tmp_path, matrix):
    path = described(plain, "h264", tmp_path / "video.mkv", matrix=matrix)
    difference = np.abs(seen(path) - first_picture(path))
    assert difference.max() <= 6
    assert difference.mean() < 0.1


@pytest.mark.parametrize("name", ["primaries", "transfer"])
@pytest.mark.parametrize("value", [0, 3, 9, 10, 22, 30, 254])
def test_reserved_primaries_and_transfers_change_nothing(plain, tmp_path, name, value):
    path = described(plain, "h264", tmp_path / "video.mkv", **{name: value})
    np.testing.assert_array_equal(seen(path), seen(plain / "h264.ts"))


@pytest.mark.parametrize("matrix", [*MATRICES.values(), 3], ids=str)
@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_of_an_unknown_matrix_is_tone_mapped(plain, tmp_path, transfer, matrix):
    path = described(plain, "hevc", tmp_path / "a.mp4", matrix=matrix, transfer=transfer)
    unspecified = described(plain, "hevc", tmp_path / "b.mp4", transfer=transfer)
    np.testing.assert_array_equal(seen(path), seen(unspecified))
    assert np.abs(seen(path) - seen(plain / "hevc.ts")).mean() > 5


@pytest.mark.parametrize(
    "pixel_format",
    ["yuv420p", "yuv422p10le", "yuva444p12le", "yuvj420p", "gbrp", "gray10le", "nv12"],
)
def test_no_colour_description_fails(pixel_format):
    """All values that FFmpeg can hold, one after the other."""
    maker, failed = PictureMaker(View.square(8)), []
    for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
        frame = av.VideoFrame(32, 16, pixel_format)
        for value in H273_VALUES:
            try:
                setattr(frame, name, value)
            except OverflowError:
                break  # FFmpeg has no such value
            try:
                maker.draw(frame)
            except (av.error.FFmpegError, OSError):
                failed.append((name, value))
    assert failed == []


# name: (file suffix, codec, pixel format)
FORMATS = {
    "monochrome": ("mkv", "libx264", "gray"),
    "monochrome 10 bit": ("mkv", "libx264", "gray10le"),
    "4:4:4": ("mp4", "libx264", "yuv444p"),
    "4:2:2 10 bit": ("mp4", "libx264", "yuv422p10le"),
    "12 bit": ("mp4", "libx265", "yuv420p12le"),
    "RGB in H.264": ("mp4", "libx264rgb", "rgb24"),
    "RGB in HEVC": ("mp4", "libx265", "gbrp"),
    "RGB in VP9": ("webm", "libvpx-vp9", "gbrp"),
    "RGB 10 bit in FFV1": ("mkv", "ffv1", "gbrp10le"),
    "RGB in Ut Video": ("avi", "utvideo", "gbrp"),
    "Huffyuv 4:2:2": ("avi", "huffyuv", "yuv422p"),
    "4:1:1": ("mkv", "ffv1", "yuv411p"),
    "4:1:0": ("mkv", "ffv1", "yuv410p"),
    "full range": ("avi", "mjpeg", "yuvj422p"),
    "palette": ("mov", "qtrle", "pal8"),
    "raw 5:5:5": ("mov", "rawvideo", "rgb555be"),
    "ProRes 4:4:4": ("mov", "prores_ks", "yuv444p10le"),
    "16 bit PNG": ("mov", "png", "rgb48be"),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_of_pixels_is_that_of_the_command(blocks, tmp_path, kind):
    suffix, codec, pixel_format = FORMATS[kind]
    raw, path = tmp_path / "raw.mkv", tmp_path / f"video.{suffix}"
    write_video(raw, [blocks] * 3, codec="ffv1", pixel_format="bgr0")
    ffmpeg("-i", raw, "-c:v", codec, "-pix_fmt", pixel_format, path)
    difference = np.abs(seen(path) - first_picture(path))
    assert difference.max() <= 8
    assert difference.mean() < 0.5


@pytest.mark.parametrize("codec", ["qtrle", "rawvideo"])
def test_a_palette_of_a_mov_holds_in_every_chunk(blocks, tmp_path, codec):
    raw, path = tmp_path / "raw.mkv", tmp_path / "video.mov"
    write_video(raw, [blocks] * 25, codec="ffv1", pixel_format="bgr0")
    ffmpeg("-i", raw, "-c:v", codec, "-pix_fmt", "pal8", path)
    sampler = VideoSampler(VideoFile(path))
    try:
        for start in (0.5, 0.0, 0.8):
            pixels = sampler.sample(Chunk(0, start, 0.1), Sampling(1), View.square(SIZE_PX)).pixels[
                0
            ]
            assert np.abs(pixels - first_picture(path)).mean() < 1
    finally:
        sampler.close()


@pytest.mark.parametrize("full", [0, 1])
def test_the_range_that_a_stream_states_is_obeyed(plain, tmp_path, full):
    path = tmp_path / "video.mp4"
    flag = f"h264_metadata=video_full_range_flag={full}"
    ffmpeg("-i", plain / "h264.ts", "-c", "copy", "-bsf:v", flag, path)
    assert np.abs(seen(path) - first_picture(path)).max() <= 6


@pytest.mark.parametrize("size", [(33, 17), (1, 1), (3, 99)])
def test_odd_sizes_of_rgb_and_gray(tmp_path, size):
    picture = numbered_frame(7, 128, 100)[: size[1], : size[0]]
    path = write_video(tmp_path / "odd.mkv", [picture] * 2, codec="ffv1", pixel_format="bgr0")
    assert np.abs(seen(path) - first_picture(path)).max() <= 8
