# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every format end in frames or in one clear error."""

import numpy as np
import pytest
from support.videos import numbered_frame, write_video

from trireel_backend.errors import RequestError
from trireel_backend.extraction import VideoSampler
from trireel_backend.plan import plan_chunks

MUTANTS = 25
FORMATS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "ts": "libx264",
    "flv": "libx264",
    "avi": "mpeg4",
    "webm": "libvpx-vp9",
    "mov": "libx265",
    "mpg": "mpeg2video",
    "gif": "gif",
}


def mutate(data, rng):
    """Flip bits, cut, zero or move a piece, or splice the head onto the middle."""
    data = bytearray(data)
    kind = rng.integers(5)
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, max(2, len(data) // 8)))
    if kind == 0:
        for position in rng.integers(len(data), size=int(rng.integers(1, 40))):
            data[position] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at : at + length] = bytes(len(data[at : at + length]))
    elif kind == 3:
        data[at : at + length] = data[: len(data[at : at + length])]
    else:
        head = data[:256]
        for position in rng.integers(256, size=8):
            head[int(position)] = int(rng.integers(256))
        data[:256] = head
    return bytes(data)


@pytest.mark.parametrize("suffix", FORMATS)
def test_damage_never_surprises(tmp_path, suffix):
    options = {"x265-params": "log-level=none"} if FORMATS[suffix] == "libx265" else None
    pixel_format = "rgb8" if suffix == "gif" else "yuv420p"
    frames = [numbered_frame(i) for i in range(50)]
    whole = write_video(
        tmp_path / f"whole.{suffix}",
        frames,
        codec=FORMATS[suffix],
        pixel_format=pixel_format,
        options=options,
    ).read_bytes()
    rng = np.random.default_rng(99)
    path = tmp_path / f"mutant.{suffix}"
    messages = []
    for _ in range(MUTANTS):
        path.write_bytes(mutate(whole, rng))
        try:
            sample_some(path)
        except RequestError as error:
            messages.append(str(error))
    assert 0 < len(messages) < MUTANTS  # some are beyond repair, some are not
    assert all(len(message.splitlines()) == 1 for message in messages)


def sample_some(path):
    sampler = VideoSampler(path)
    try:
        info = sampler.info
        for chunk in plan_chunks(info.start_seconds, info.duration_seconds, 1.0)[:3]:
            frames = sampler.sample(chunk, 4, 24)
            assert frames.pixels.shape == (4, 24, 24, 3)
            assert np.isfinite(frames.timestamps_seconds).all()
    finally:
        sampler.close()
