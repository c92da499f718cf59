# SPDX-License-Identifier: Apache-2.0
"""JPEG files of several pictures: a photograph with more behind it is one still."""

import io

import numpy as np
import pytest
from PIL import Image
from support.extraction import look, sample_chunk, whole
from support.oracle import SIZE_PX, first_picture
from support.videos import number_of, numbered_frame, write_video

from trireel_backend.extraction.reading.photographs import jpeg_of

GAIN_MAP = b'<x xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'


def jpeg(pixels, segment=None, **options):
    """Return a picture [H, W, 3] as JPEG, with an application segment of (marker, content)."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=95, **options)
    whole_ = data.getvalue()
    if segment is None:
        return whole_
    marker, content = segment
    head = bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2)
    return whole_[:2] + head + content + whole_[2:]


@pytest.fixture(scope="module")
def photograph():
    rng = np.random.default_rng(4)
    return rng.integers(0, 256, (6, 8, 3), np.uint8).repeat(32, 0).repeat(32, 1)


XMP = (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + GAIN_MAP)
MPF = (0xE2, b"MPF\0MM\0*\0\0\0\x08" + bytes(40))
ISO_GAIN_MAP = (0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(8))
EXIF = (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")


def behind(photograph):
    """Return what phones and cameras write, by name."""
    half, gray = photograph[::2, ::2], photograph[..., 0]
    return {
        "smaller gain map": jpeg(photograph) + jpeg(255 - half),
        "gray gain map of the same size": jpeg(photograph) + jpeg(gray),
        "XMP and a gain map of the same size": jpeg(photograph, XMP) + jpeg(255 - photograph),
        "gain map that says so itself": jpeg(photograph) + jpeg(255 - photograph, XMP),
        "ISO gain map": jpeg(photograph, ISO_GAIN_MAP) + jpeg(255 - photograph),
        "MPF of two views": jpeg(photograph, MPF) + jpeg(255 - photograph, MPF),
        "Exif in the first alone": jpeg(photograph, EXIF) + jpeg(255 - photograph),
        "padding, then a preview": jpeg(photograph) + bytes(3000) + jpeg(half),
        "progressive": jpeg(photograph, progressive=True) + jpeg(half, progressive=True),
        "a trailer": jpeg(photograph) + b"SEFT" * 100,
        "a film": jpeg(photograph) + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 50,
    }


KINDS = list(behind(np.zeros((64, 64, 3), np.uint8)))


@pytest.mark.parametrize("name", ["photograph.jpg", "upload"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_is_one_still(photograph, tmp_path, kind, name):
    """By its path and by its bytes, which have no suffix."""
    path, alone = tmp_path / name, tmp_path / "alone.jpg"
    data = behind(photograph)[kind]
    path.write_bytes(data)
    alone.write_bytes(data[: data.index(b"\xff\xd9") + 2])
    info = look(path)
    assert (info.duration_seconds, info.is_complete) == (pytest.approx(0.04), True)
    frames = sample_chunk(path, whole(info), 8, SIZE_PX)
    assert len(set(frames.pts.tolist())) == 1
    assert frames.damaged_packets == 0
    assert np.abs(frames.pixels[-1] - first_picture(alone)).max() <= 6


@pytest.mark.parametrize("name", ["pictures.mpo", "upload"])
def test_an_mpo_of_pillow_is_its_first_picture(photograph, tmp_path, name):
    path = tmp_path / name
    other = Image.fromarray(255 - photograph)
    Image.fromarray(photograph).save(path, "MPO", save_all=True, append_images=[other] * 2)
    with Image.open(path) as pictures:
        assert pictures.n_frames == 3
    info = look(path)
    assert info.duration_seconds == pytest.approx(0.04)
    alone = tmp_path / "alone.jpg"
    data = path.read_bytes()
    alone.write_bytes(data[: data.index(b"\xff\xd9") + 2])
    picture = sample_chunk(path, whole(info), 4, SIZE_PX).pixels[-1]
    assert np.abs(picture - first_picture(alone)).max() <= 6


@pytest.mark.parametrize("name", ["video.mjpeg", "video.jpg", "upload"])
def test_a_stream_of_jpeg_pictures_stays_a_video(tmp_path, name):
    path = tmp_path / name
    frames = [numbered_frame(number) for number in range(50)]
    stream = tmp_path / "stream.mjpeg"
    write_video(stream, frames, codec="mjpeg", pixel_format="yuvj420p")
    path.write_bytes(stream.read_bytes())
    info = look(path)
    assert info.duration_seconds == pytest.approx(2.0)
    shown = sample_chunk(path, whole(info), 5, 64).pixels
    assert [number_of(pixels) for pixels in shown] == [5, 15, 25, 35, 45]


def test_frames_with_exif_each_stay_a_video(photograph, tmp_path):
    path = tmp_path / "joined"
    path.write_bytes(b"".join(jpeg(np.roll(photograph, i, 1), EXIF) for i in range(10)))
    assert look(path).duration_seconds == pytest.approx(0.4)


@pytest.mark.parametrize("cut", [3, 20, 300, -3])
def test_a_jpeg_that_was_cut_off_is_no_other_kind_of_fault(photograph, tmp_path, cut):
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg(photograph)[:cut])
    assert jpeg_of(path) is None
