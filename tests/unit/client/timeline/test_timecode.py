# SPDX-License-Identifier: Apache-2.0
"""Drop-frame and non-drop timecode, against OpenTimelineIO's."""

from fractions import Fraction

import opentimelineio as otio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.client.timeline.made import NTSC_30, NTSC_60

from trireel_client import InvalidRequest
from trireel_client._timeline.timecode import (
    TIMECODE_RATES,
    Timecode,
    clock_text,
    frame_at,
    timecode_rate,
)

DAY_SECONDS = 24 * 3600 - 1


@pytest.mark.parametrize(
    ("rate", "frame", "text"),
    [
        (NTSC_30, 0, "00:00:00;00"),
        (NTSC_30, 1799, "00:00:59;29"),
        (NTSC_30, 1800, "00:01:00;02"),
        (NTSC_30, 17981, "00:09:59;29"),
        (NTSC_30, 17982, "00:10:00;00"),
        (NTSC_30, 107892, "01:00:00;00"),
        (NTSC_60, 3599, "00:00:59;59"),
        (NTSC_60, 3600, "00:01:00;04"),
        (NTSC_60, 35964, "00:10:00;00"),
        (NTSC_60, 215784, "01:00:00;00"),
    ],
)
def test_drop_frame_keeps_up_with_the_clock(rate, frame, text):
    assert Timecode(rate, drops_frames=True).text(frame) == text


def test_non_drop_frame_counts_every_number():
    assert Timecode(NTSC_30, drops_frames=False).text(1800) == "00:01:00:00"
    assert Timecode(NTSC_60, drops_frames=False).text(215784) == "00:59:56:24"
    assert Timecode(Fraction(25), drops_frames=False).text(90000) == "01:00:00:00"


@settings(deadline=None)
@given(rate=st.sampled_from(TIMECODE_RATES), drops=st.booleans(), seconds=st.floats(0, DAY_SECONDS))
def test_timecode_equals_that_of_opentimelineio(rate, drops, seconds):
    drops = drops and rate in (NTSC_30, NTSC_60)
    frame = frame_at(Fraction(seconds), rate)
    text = Timecode(rate, drops).text(frame)
    read = otio.opentime.from_timecode(text, float(rate))
    assert read.value == frame
    assert otio.opentime.to_timecode(read, float(rate), drops) == text


@pytest.mark.parametrize(
    ("fps", "conformed"),
    [
        *((rate, rate) for rate in TIMECODE_RATES),
        (Fraction(15), Fraction(30)),
        (Fraction(25, 2), Fraction(25)),
        (Fraction(10), Fraction(30)),
        (Fraction(120), Fraction(60)),
        (Fraction(120000, 1001), NTSC_60),
        (Fraction(25000, 941), Fraction(25)),
        (Fraction(2983, 100), Fraction(30000, 1001)),
        (Fraction(1, 10), Fraction(24)),
    ],
)
def test_rates_are_conformed_to_one_of_timecode(fps, conformed):
    assert timecode_rate(fps) == conformed


def test_timecode_ends_after_a_day():
    timecode = Timecode(Fraction(25), drops_frames=False)
    assert timecode.text(24 * 3600 * 25 - 1) == "23:59:59:24"
    with pytest.raises(InvalidRequest, match="longer than 24 h"):
        timecode.text(24 * 3600 * 25)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(1001, 30000), "00:00:00.033"),
        (Fraction(59_999_5, 10_000), "00:01:00.000"),
        (Fraction(363_599_9994, 10_000_00), "01:00:36.000"),
        (Fraction(100 * 3600), "100:00:00.000"),
    ],
)
def test_clock_times_round_to_milliseconds(seconds, text):
    assert clock_text(seconds, ".") == text
