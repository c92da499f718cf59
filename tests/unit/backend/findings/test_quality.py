# SPDX-License-Identifier: Apache-2.0
"""Quality against FFmpeg's own filters on the same frames, and from chunk to chunk."""

import re
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.quality import Quality, sharpness
from trireel_backend.wire.views import PackedView
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

FPS, SIZE = 4, 32
TEXTS = TextSet(("a",), np.ones((1, 1), np.float32))


@pytest.fixture
def quality():
    return Quality(Knowledge(TextBank(TEXTS, TEXTS), Calibration(1.0, 0.0)))


def chunk(pixels, first):
    times = (first + np.arange(len(pixels))) / FPS
    views = {"quality": PackedView(pixels, times)}
    return ChunkFrames(np.ones((1, 1), np.float32), times[:1], 10.0, views)


def decode(quality, pixels, chunk_frames):
    """Return the outputs of every chunk."""
    state, outputs = quality.start(), []
    for first in range(0, len(pixels), chunk_frames):
        state, answer = quality.step(
            state, chunk(pixels[first : first + chunk_frames], first), None
        )
        outputs.append(answer)
    return outputs


def moving(rng, count):
    return rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8)


def still(rng, count):
    return np.repeat(moving(rng, 1), count, axis=0)


def dark(count, level=0):
    return np.full((count, SIZE, SIZE, 3), level, np.uint8)


def flicker(rng, count, amplitude):
    """A still whose pixels change a little from frame to frame."""
    frame = rng.integers(20, 200, (SIZE, SIZE, 3))
    return (frame + amplitude * (np.arange(count) % 2)[:, None, None, None]).astype(np.uint8)


def scripts():
    rng = np.random.default_rng(7)
    yield "mixed", [moving(rng, 5), dark(12), moving(rng, 3), still(rng, 11), moving(rng, 2)]
    yield "too short", [moving(rng, 4), dark(8), moving(rng, 4), still(rng, 8), moving(rng, 4)]
    yield (
        "just long enough",
        [moving(rng, 4), dark(9), moving(rng, 1), still(rng, 9), moving(rng, 1)],
    )
    yield "at the end", [moving(rng, 4), still(rng, 8)]
    yield "too short at the end", [moving(rng, 4), still(rng, 7)]
    yield "from the start to the end", [dark(20)]
    yield "one after another", [still(rng, 10), still(rng, 10), dark(10, 25), dark(10, 26)]
    yield "flicker", [flicker(rng, 12, 1), moving(rng, 1), flicker(rng, 12, 0)]


SCRIPTS = dict(scripts())


def ffmpeg_intervals(pixels, filters, pattern):
    """Return what a filter of the ffmpeg command prints for these frames."""
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{SIZE}x{SIZE}", "-r", str(FPS), "-i", "-", "-vf", filters, "-f", "null", "-"),
    ]
    done = subprocess.run(command, input=pixels.tobytes(), capture_output=True, check=True)
    return re.findall(pattern, done.stderr.decode())


@pytest.mark.parametrize("parts", list(SCRIPTS.values()), ids=list(SCRIPTS))
@pytest.mark.parametrize("chunk_frames", [7, 40, 1])
def test_black_intervals_are_those_of_blackdetect(quality, parts, chunk_frames):
    pixels = np.concatenate(parts)
    found = decode(quality, pixels, chunk_frames)[-1]["QUALITY_BLACK_INTERVALS"]
    expected = ffmpeg_intervals(
        pixels,
        "format=yuvj444p,blackdetect",
        r"black_start:([\d.]+) black_end:([\d.]+)",
    )
    np.testing.assert_allclose(found, np.array(expected, float).reshape(-1, 2), atol=1e-6)


@pytest.mark.parametrize("parts", list(SCRIPTS.values()), ids=list(SCRIPTS))
@pytest.mark.parametrize("chunk_frames", [7, 40, 1])
def test_frozen_intervals_are_those_of_freezedetect(quality, parts, chunk_frames):
    pixels = np.concatenate(parts)
    found = decode(quality, pixels, chunk_frames)[-1]["QUALITY_FREEZE_INTERVALS"]
    printed = ffmpeg_intervals(pixels, "format=gbrp,freezedetect", r"freeze_(start|end): ([\d.]+)")
    starts = [float(value) for kind, value in printed if kind == "start"]
    ends = [float(value) for kind, value in printed if kind == "end"]
    if len(ends) < len(starts):  # the filter prints no end if the video ends frozen
        ends.append((len(pixels) - 1) / FPS)
    expected = np.array([starts, ends]).T.reshape(-1, 2)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_shares_and_luma_are_of_each_chunk(quality):
    rng = np.random.default_rng(3)
    first, second = decode(quality, np.concatenate([dark(4, 10), moving(rng, 4)]), 4)
    assert first["CHUNK_QUALITY_BLACK_SHARES"] == 1
    assert first["CHUNK_QUALITY_FROZEN_SHARES"] == 0.75  # the first frame has none before it
    assert first["CHUNK_QUALITY_LUMAS"] == pytest.approx(10, abs=1e-3)
    assert second["CHUNK_QUALITY_BLACK_SHARES"] == second["CHUNK_QUALITY_FROZEN_SHARES"] == 0


def test_a_frame_in_several_slots_counts_once(quality):
    """A video of one frame a second is not frozen because four slots show each frame."""
    rng = np.random.default_rng(4)
    pixels = np.repeat(moving(rng, 6), 4, axis=0)
    times = np.repeat(np.arange(6.0), 4)
    frames = ChunkFrames(
        np.ones((1, 1), np.float32), times[:1], 6.0, {"quality": PackedView(pixels, times)}
    )
    _, answer = quality.step(quality.start(), frames, None)
    assert answer["CHUNK_QUALITY_FROZEN_SHARES"] == 0
    assert len(answer["QUALITY_FREEZE_INTERVALS"]) == 0


def test_sharpness_falls_with_blur():
    """Against a Laplacian written out, and lower for each further blur."""
    luma = np.random.default_rng(5).uniform(0, 255, (16, 20)).astype(np.float32)
    laplacian = [
        [
            luma[y - 1, x] + luma[y + 1, x] + luma[y, x - 1] + luma[y, x + 1] - 4 * luma[y, x]
            for x in range(1, 19)
        ]
        for y in range(1, 15)
    ]
    assert sharpness(luma) == pytest.approx(np.var(laplacian), rel=1e-4)
    blurred = (luma + np.roll(luma, 1, 0) + np.roll(luma, 1, 1)) / 3
    assert sharpness(blurred) < sharpness(luma) / 2


def test_the_state_outlives_the_chunks_memory(quality):
    """A chunk's pixels lie in memory shared with Triton, which uses it again."""
    rng = np.random.default_rng(6)
    pixels = still(rng, 20)
    first = pixels[:10].copy()
    state, _ = quality.step(quality.start(), chunk(first, 0), None)
    first[:] = 0
    _, answer = quality.step(state, chunk(pixels[10:], 10), None)
    np.testing.assert_array_equal(answer["QUALITY_FREEZE_INTERVALS"], [[0.0, 19 / FPS]])


def test_quality_needs_frames_of_its_view(quality):
    frames = ChunkFrames(np.ones((1, 1), np.float32), np.zeros(1), 1.0)
    with pytest.raises(InvalidInput, match="needs frames of its own: request it from video_chunk"):
        quality.step(quality.start(), frames, None)
