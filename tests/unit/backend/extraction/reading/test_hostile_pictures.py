# SPDX-License-Identifier: Apache-2.0
"""Damaged pictures and headers: an answer or a refusal, and nothing else."""

import numpy as np
import pytest
from PIL import Image
from support.damage import mutate
from support.extraction import look, sample_chunk, whole
from support.heif import coded_item, grid_item, turns, write_heif
from support.oracle import ffmpeg

from trireel_backend.errors import RequestError

ROUNDS = 60


def grid(folder):
    tile = np.full((64, 64, 3), (200, 30, 30), np.uint8)
    items = [coded_item(folder, np.roll(tile, number, 2)) for number in range(4)]
    picture = grid_item(2, 2, (120, 128), (1, 2, 3, 4))
    picture.properties += turns(quarters=1, mirror=1)
    return write_heif(folder / "grid.heic", [*items, picture], 5)


def transparent(folder):
    picture = np.full((64, 96, 4), (200, 90, 30, 100), np.uint8)
    path = folder / "alpha.avif"
    Image.fromarray(picture).save(path)
    return path


def several(folder):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    path = folder / "several.jpg"
    other = Image.fromarray(noise[::2, ::2])
    Image.fromarray(noise).save(path, "MPO", save_all=True, append_images=[other])
    return path


def encoded(folder, suffix, *options):
    path = folder / f"video.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", *options, path)
    return path


def alpha(folder):
    vp9 = ("-pix_fmt", "yuva420p", "-c:v", "libvpx-vp9", "-deadline", "realtime")
    return encoded(folder, "webm", *vp9)


def encrypted(folder):
    key = "00112233445566778899aabbccddeeff"
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_kid", key)
    return encoded(folder, "mp4", *scheme, "-encryption_key", key)


def transport(folder):
    return encoded(folder, "ts", "-c:v", "mpeg2video")


@pytest.mark.parametrize("make", [grid, transparent, several, alpha, encrypted, transport])
def test_damage_leads_to_an_answer_or_a_refusal(tmp_path, make):
    data, rng = make(tmp_path).read_bytes(), np.random.default_rng(7)
    path = tmp_path / "damaged"
    for _ in range(ROUNDS):
        path.write_bytes(mutate(data, rng))
        try:
            pixels = sample_chunk(path, whole(look(path)), 2, 16).pixels
        except RequestError:
            continue
        assert pixels.shape == (2, 16, 16, 3)


@pytest.mark.parametrize("size", [0, 1, 8, 11, 12, 16, 30, 100, 187, 188])
@pytest.mark.parametrize("make", [grid, several, transport])
def test_the_first_bytes_alone_lead_to_a_refusal(tmp_path, make, size):
    path = tmp_path / "beginning"
    path.write_bytes(make(tmp_path).read_bytes()[:size])
    with pytest.raises(RequestError):
        sample_chunk(path, whole(look(path)), 2, 16)
