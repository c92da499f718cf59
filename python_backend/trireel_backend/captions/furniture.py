# SPDX-License-Identifier: Apache-2.0
"""Texts that are no captions: logos, which are there nearly always, and clocks."""

from collections.abc import Sequence

from trireel_backend.captions.merging import ReadText, is_one_place, is_same_text

LOGO_SECONDS = 30.0
"""Time on screen from which on a text is no caption, however long the video is."""
LONG_SECONDS = 8.0
"""Time on screen up to which a text is a caption, however short the video is."""
LOGO_SHARE = 0.6
"""Share of the video's time so far that a logo is on screen."""
CLOCK_SECONDS = 3.0
"""Longest time between two readings of one clock."""
CLOCK_READINGS = 3
"""Fewest readings of a clock."""


def seconds_on_screen(line: ReadText, others: Sequence[ReadText]) -> float:
    """Return how long the text of a line is on screen at its place, in all of the other lines."""
    return sum(
        other.seconds
        for other in others
        if is_one_place(line.box, other.box) and is_same_text(line, other)
    )


def is_logo(line: ReadText, others: Sequence[ReadText], video_seconds: float) -> bool:
    """Return whether a line is a logo.

    Args:
        others: all lines of the video so far, the line itself included.
        video_seconds: time of the video so far.
    """
    on_screen = seconds_on_screen(line, others)
    if on_screen >= LOGO_SECONDS:
        return True
    return on_screen > LONG_SECONDS and on_screen >= LOGO_SHARE * video_seconds


def is_clock(line: ReadText, others: Sequence[ReadText]) -> bool:
    """Return whether a line is one of a clock's readings, as other lines around it show."""
    if not is_clocklike(line.text):
        return False
    form = clock_form(line.text)
    readings = [line]
    for other in sorted(others, key=lambda each: each.first.seconds):
        if (
            clock_form(other.text) == form
            and is_one_place(line.box, other.box)
            and _is_near(line, other)
        ):
            readings.append(other)
    return len({reading.text for reading in readings}) >= CLOCK_READINGS


def is_clocklike(text: str) -> bool:
    """Return whether most letters of a text are digits."""
    letters = [letter for letter in text if letter.isalnum()]
    return len(letters) > 0 and sum(map(str.isdigit, letters)) * 2 > len(letters)


def clock_form(text: str) -> str:
    """Return a text without what changes in a clock: "12:07:33" becomes "000000"."""
    return "".join("0" if letter.isdigit() else letter for letter in text if letter.isalnum())


def _is_near(line: ReadText, other: ReadText) -> bool:
    """Return whether two readings are at most `CLOCK_READINGS` readings apart."""
    gap_seconds = max(
        other.first.seconds - line.end.seconds, line.first.seconds - other.end.seconds
    )
    return gap_seconds <= CLOCK_SECONDS
