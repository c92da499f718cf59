# SPDX-License-Identifier: Apache-2.0
"""Names, times and addresses as the commands of the library print and read them."""

import time
from datetime import UTC, datetime

import pytest

from trireel_app.commands.library_options import clock, short_name
from trireel_app.commands.search import since_ns
from trireel_app.errors import InvalidOption

DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00.00"),
        (62.504, "1:02.50"),
        (59.999, "1:00.00"),
        (3723, "1:02:03.00"),
        (-1.5, "-0:01.50"),
    ],
)
def test_seconds_are_a_clock(seconds, text):
    assert clock(seconds) == text


def test_a_video_of_this_folder_has_a_short_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_name(f"{tmp_path}/clips/a.mp4") == "clips/a.mp4"
    assert short_name("/elsewhere/a.mp4") == "/elsewhere/a.mp4"
    assert short_name("s3://clips/a\x1b.mp4") == "s3://clips/a?.mp4"


def test_since_is_a_date_or_how_long_ago():
    zero = datetime(2026, 11, 30, 8, tzinfo=UTC).timestamp()
    assert since_ns("2026-11-30T08:00:00Z") == int(zero * 1e9)
    assert since_ns("2026-11-30") == int(datetime(2026, 11, 30).timestamp() * 1e9)
    assert abs(since_ns("7d") - (time.time_ns() - 7 * DAY_NS)) < DAY_NS / 1000


@pytest.mark.parametrize("text", ["yesterday", "7", "7y", "2026-13-01", ""])
def test_another_since_is_rejected(text):
    with pytest.raises(InvalidOption, match="give a date"):
        since_ns(text)
