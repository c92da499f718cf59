# SPDX-License-Identifier: Apache-2.0
"""The frame rate, whether it is variable, and the size of the upright picture."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.extraction import look
from support.oracle import ffmpeg

from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.reading.rate import USUAL_RATES, measured_rate, stated_rate
from trireel_backend.extraction.task import (
    UNKNOWN_RATE,
    ExtractionTask,
    ExtractorOptions,
    FrameRate,
)
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling

NTSC = Fraction(30000, 1001)
VFR = "setpts='(N+floor(N/7)*3)/(25*TB)'"
TIME_BASES = [Fraction(1, 1000), Fraction(1, 12800), Fraction(1, 90000)]
UNKNOWN = Fraction(0)


def video(path, rate, *options, filters="null"):
    """Encode two seconds of a pattern."""
    pattern = f"testsrc=size=64x48:rate={rate}:duration=2,{filters}"
    ffmpeg("-f", "lavfi", "-i", pattern, *options, path)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.webm", "a.m2v"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), NTSC, 2 * NTSC])
def test_a_constant_rate_is_exact(tmp_path, name, rate):
    info = look(video(tmp_path / name, rate, "-g", "12"))
    assert info.frame_rate == FrameRate(rate)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_variable_rate_is_told(tmp_path, name):
    options = ("-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "2")
    rate = look(video(tmp_path / name, 25, *options, filters=VFR)).frame_rate
    assert rate.is_variable
    assert float(rate.fps) == pytest.approx(49 / (70 / 25), rel=0.06)


def test_b_frames_do_not_make_a_rate_variable(tmp_path):
    for name in ("a.mp4", "a.mkv", "a.ts", "a.avi"):
        path = video(tmp_path / name, NTSC, "-c:v", "libx264", "-bf", "3", "-g", "20")
        assert look(path).frame_rate == FrameRate(NTSC)


def test_a_picture_has_no_rate(tmp_path):
    path = tmp_path / "a.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48", "-frames:v", "1", path)
    assert not look(path).frame_rate.is_variable
    ffmpeg("-i", path, tmp_path / "a.avif")
    assert look(tmp_path / "a.avif").frame_rate == UNKNOWN_RATE


@settings(max_examples=50, deadline=None)
@given(
    rate=st.sampled_from(USUAL_RATES),
    time_base=st.sampled_from(TIME_BASES),
    count=st.integers(2, 2000),
    start=st.floats(0, 1000),
    data=st.data(),
)
def test_rounding_to_ticks_keeps_a_rate_constant(rate, time_base, count, start, data):
    exact = start + np.arange(count) / float(rate)
    times = np.round(exact / float(time_base)) * float(time_base)
    data.draw(st.randoms()).shuffle(times)
    measured = measured_rate(times, time_base, UNKNOWN)
    assert not measured.is_variable
    assert abs(measured.fps - rate) * (count - 1) / float(rate) ** 2 <= 3 * float(time_base)
    if count * float(time_base) > 20:  # long enough to tell 24 from 23.976
        assert measured.fps == rate


def test_one_lost_frame_makes_a_rate_variable():
    times = np.delete(np.arange(100) / 25, 50)
    assert measured_rate(times, Fraction(1, 1000), Fraction(25)).is_variable
    assert not measured_rate(np.arange(100) / 25, Fraction(1, 1000), UNKNOWN).is_variable


def test_a_steady_rate_of_no_usual_kind_is_constant():
    times = np.arange(100) * 0.0301
    assert measured_rate(times, Fraction(1, 10000), UNKNOWN) == FrameRate(Fraction(10000, 301))


def test_without_times_the_stated_rates_decide():
    assert stated_rate(Fraction(25), Fraction(25)) == FrameRate(Fraction(25))
    assert stated_rate(Fraction(27), Fraction(30)) == FrameRate(Fraction(27), is_variable=True)
    assert stated_rate(None, None) == measured_rate(np.zeros(1), Fraction(1), UNKNOWN)


@pytest.mark.parametrize(
    ("options", "size_px"),
    [
        ((), (64, 48)),
        (("-vf", "setsar=16/11"), (93, 48)),
        (("-vf", "setsar=4/3", "-c:v", "libx264"), (85, 48)),
    ],
)
def test_the_pictures_size_has_square_pixels(tmp_path, options, size_px):
    path = video(tmp_path / "a.mp4", 25, *options)
    assert extracted(path).picture_size_px == size_px
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", path, "-c", "copy", turned)
    assert extracted(turned).picture_size_px == size_px[::-1]


def test_a_probe_does_not_know_the_pictures_size(tmp_path):
    assert extracted(video(tmp_path / "a.mp4", 25), frames=0).picture_size_px == (0, 0)


def extracted(path, frames=1):
    extractor = Extractor(ExtractorOptions())
    return extractor.run(
        ExtractionTask(path, 1.0, Sampling(frames), View.square(16), keep_open=False)
    )
