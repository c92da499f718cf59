# SPDX-License-Identifier: Apache-2.0
"""Clips against their frames: every frame, its time, its colours, in both codecs."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from trireel_backend.clips.encode import encode_clip
from trireel_backend.clips.options import AV1, GOOD, VP9, ClipOptions, clip_options
from trireel_backend.clips.times import check_frames, clip_times_ms
from trireel_backend.errors import InvalidInput, StageFailed

CHOICES = [
    clip_options(VP9, None, None, None),
    clip_options(VP9, GOOD, 4, 20),
    clip_options(AV1, None, None, None),
]
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 150, 100), (255, 255, 255), (9, 9, 9)]
each_choice = pytest.mark.parametrize("options", CHOICES, ids=["vp9", "good", "av1"])


def pictures(count, height, width):
    """Frames of one colour each, none like its neighbours."""
    frames = np.empty((count, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:] = COLOURS[index % len(COLOURS)]
    return frames


def decoded(clip):
    with av.open(io.BytesIO(clip)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].time_base == Fraction(1, 1000)
    pixels = [frame.to_ndarray(format="rgb24", src_colorspace="ITU709") for frame in frames]
    return frames, np.stack(pixels)


@each_choice
@pytest.mark.parametrize(("height", "width"), [(96, 384), (97, 383), (4, 5), (33, 1000)])
def test_every_frame_is_in_the_clip_at_its_time(options, height, width):
    frames = pictures(14, height, width)
    pts = [90_000 * 600 + 3003 * index + 17 * (index % 3) for index in range(14)]  # variable
    times_ms = clip_times_ms(pts, Fraction(1, 90_000))
    read, pixels = decoded(encode_clip(frames, times_ms, options))
    assert [frame.pts for frame in read] == list(times_ms)
    assert [frame.pts for frame in read] == pytest.approx([p / 90 for p in pts], abs=0.5)
    assert read[0].key_frame
    assert pixels.shape == frames.shape
    assert np.abs(pixels.astype(int) - frames).max() <= 12


@each_choice
def test_a_clip_may_be_one_frame(options):
    read, pixels = decoded(encode_clip(pictures(1, 48, 64), (40,), options))
    assert [frame.pts for frame in read] == [40]
    assert np.abs(pixels[0].astype(int) - COLOURS[0]).max() <= 12


def test_a_clip_may_be_one_pixel():
    read, _ = decoded(encode_clip(pictures(3, 1, 1), (0, 1, 2), ClipOptions()))
    assert [(frame.pts, frame.width, frame.height) for frame in read] == [
        (0, 1, 1),
        (1, 1, 1),
        (2, 1, 1),
    ]


def test_frames_may_be_minutes_apart():
    times_ms = (0, 100, 250_000, 250_001)
    read, _ = decoded(encode_clip(pictures(4, 16, 16), times_ms, ClipOptions()))
    assert tuple(frame.pts for frame in read) == times_ms


@each_choice
def test_the_same_frames_give_the_same_bytes(options):
    frames, times_ms = pictures(8, 64, 96), tuple(range(0, 800, 100))
    assert encode_clip(frames, times_ms, options) == encode_clip(frames, times_ms, options)


def test_a_faster_choice_and_a_better_one_differ():
    generator = np.random.default_rng(1)
    frames = generator.integers(0, 255, (6, 64, 96, 3), np.uint8)
    sizes = [
        len(encode_clip(frames, range(0, 600, 100), clip_options(VP9, None, None, crf)))
        for crf in (10, 31, 60)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


@pytest.mark.parametrize(
    ("pts", "time_base", "expected"),
    [
        ((0, 1, 2), Fraction(1, 30), (0, 33, 67)),
        ((1, 3), Fraction(1, 2000), (1, 2)),  # 0.5 and 1.5 ms: halves up
        ((-2, 0, 2), Fraction(1, 10), (0, 200, 400)),  # WebM has no negative times
        ((5,), Fraction(1), (5000,)),
    ],
)
def test_times_are_rounded_to_milliseconds(pts, time_base, expected):
    assert clip_times_ms(pts, time_base) == expected


@pytest.mark.parametrize(
    ("pts", "time_base", "reason"),
    [
        ((), Fraction(1, 10), "got 0 frames"),
        ((0, 0), Fraction(1, 10), r"PTS\[1\] is 0 ms after"),
        ((0, 5, 4), Fraction(1, 10), r"PTS\[2\] is -100 ms after"),
        ((0, 1), Fraction(1, 90_000), "at least 1 ms apart"),
        ((2**62,), Fraction(1), "give times up to"),
    ],
)
def test_times_that_no_clip_can_hold_are_rejected(pts, time_base, reason):
    with pytest.raises(InvalidInput, match=reason):
        clip_times_ms(pts, time_base)


@pytest.mark.parametrize(
    ("shape", "codec", "reason"),
    [
        ((0, 10, 10, 3), VP9, "got 0 frames of 10 x 10: give 1 to 3"),
        ((4, 10, 10, 3), VP9, "give 1 to 3 of this size"),
        ((1, 3, 10, 3), AV1, "give 4 to 8192 px a side for av1"),
        ((1, 0, 10, 3), VP9, "give 1 to 8192 px"),
        ((1, 10, 8193, 3), VP9, "give 1 to 8192 px"),
        ((1, 10, 10, 4), VP9, "4 channels"),
    ],
)
def test_frames_that_no_clip_can_hold_are_rejected(shape, codec, reason):
    with pytest.raises(InvalidInput, match=reason):
        check_frames(shape, clip_options(codec, None, None, None), max_bytes=1000)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (("h264", None, None, None), "CLIP_CODEC is 'h264': give 'vp9' or 'av1'"),
        ((VP9, "best", None, None), "CLIP_DEADLINE is 'best'"),
        ((AV1, GOOD, None, None), "CLIP_DEADLINE is for CLIP_CODEC 'vp9'"),
        ((VP9, None, 9, None), "CLIP_CPU_USED is 9: give 0 to 8 for vp9"),
        ((AV1, None, None, 64), "CLIP_CRF is 64: give 0 to 63"),
    ],
)
def test_options_that_do_not_exist_are_rejected(values, reason):
    with pytest.raises(InvalidInput, match=reason):
        clip_options(*values)


def test_an_encoder_that_fails_says_which_frames():
    with pytest.raises(StageFailed, match="1 frames of 2 x 2 cannot be encoded as av1"):
        encode_clip(pictures(1, 2, 2), (0,), clip_options(AV1, None, None, None))
