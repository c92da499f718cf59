# SPDX-License-Identifier: Apache-2.0
"""Captions on screen as lines for people."""

from fractions import Fraction

from trireel_client._findings import ScreenCaption
from trireel_client._timeline.build import one_line
from trireel_client._timeline.timecode import clock_text

SURE = 0.8  # a caption read with less confidence shows it


def caption_line(caption: ScreenCaption) -> str:
    """Return a caption as one line: begin, end, text, and its confidence if that is low."""
    text = " / ".join(map(one_line, caption.text.splitlines()))
    doubt = "" if caption.confidence >= SURE else f"  ({caption.confidence:.0%} sure)"
    return f"{_clock(caption.start_seconds)}  {_clock(caption.end_seconds)}  {text}{doubt}"


def _clock(seconds: float) -> str:
    return clock_text(Fraction(max(0.0, seconds)), ".")
