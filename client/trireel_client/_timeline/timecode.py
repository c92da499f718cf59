# SPDX-License-Identifier: Apache-2.0
"""Times as frame numbers, timecodes and milliseconds; all arithmetic is exact."""

import math
from dataclasses import dataclass
from fractions import Fraction

from trireel_client._errors import InvalidRequest
from trireel_client._timeline.timeline import FrameRate

NTSC = Fraction(1000, 1001)
TIMECODE_RATES = (
    *(24 * NTSC, Fraction(24), Fraction(25), 30 * NTSC, Fraction(30)),
    *(48 * NTSC, Fraction(48), Fraction(50), 60 * NTSC, Fraction(60)),
)
"""Frame rates that SMPTE timecode counts."""
DROP_FRAME_RATES = (30 * NTSC, 60 * NTSC)
MOST_TIMECODE_FPS = TIMECODE_RATES[-1]
DAY_HOURS = 24


@dataclass(frozen=True)
class Timecode:
    """A way to count frames as HH:MM:SS:FF."""

    fps: Fraction
    """Frames per second, one of `TIMECODE_RATES`."""
    drops_frames: bool
    """True to skip numbers, so that the timecode of 29.97 or 59.94 fps keeps up with the clock."""

    @classmethod
    def of(cls, rate: FrameRate, *, drop_frame: bool) -> "Timecode":
        """Return the timecode that a frame rate is conformed to.

        Args:
            drop_frame: use drop-frame timecode at 29.97 and 59.94 fps; other rates have none.
        """
        fps = timecode_rate(rate.fps)
        return cls(fps, drop_frame and fps in DROP_FRAME_RATES)

    def text(self, frame: int) -> str:
        """Return the timecode of a frame, counted from 0.

        Raises:
            InvalidRequest: if the frame is 24 hours after the first or later.
        """
        nominal = math.ceil(self.fps)
        if self.drops_frames:
            frame += _dropped_numbers(frame, nominal)
        seconds, frames = divmod(frame, nominal)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        if hours >= DAY_HOURS:
            raise InvalidRequest(
                f"the video is longer than {DAY_HOURS} h, which timecode cannot count: choose"
                " another format than EDL"
            )
        last = ";" if self.drops_frames else ":"
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{last}{frames:02d}"


def timecode_rate(fps: Fraction) -> Fraction:
    """Return the rate of `TIMECODE_RATES` that frames of any rate are conformed to.

    It is the rate itself; else the least multiple, so that every frame keeps its time; else the
    nearest rate. A rate above 60 is halved first.
    """
    while fps > MOST_TIMECODE_FPS:
        fps /= 2
    multiples = [rate for rate in TIMECODE_RATES if (rate / fps).denominator == 1]
    if multiples:
        return multiples[0]
    return min(TIMECODE_RATES, key=lambda rate: abs(rate - fps))


def frame_at(seconds: Fraction, fps: Fraction) -> int:
    """Return the number of the frame nearest to a time; half a frame rounds up."""
    return math.floor(seconds * fps + Fraction(1, 2))


def clock_text(seconds: Fraction, separator: str) -> str:
    """Return HH:MM:SS and milliseconds after a separator; half a millisecond rounds up."""
    whole_seconds, ms = divmod(milliseconds(seconds), 1000)
    minutes, whole_seconds = divmod(whole_seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{whole_seconds:02d}{separator}{ms:03d}"


def milliseconds(seconds: Fraction) -> int:
    """Return whole milliseconds; half a millisecond rounds up."""
    return frame_at(seconds, Fraction(1000))


def rate_text(fps: Fraction) -> str:
    """Return a frame rate for people: 25, 29.97."""
    return f"{float(fps):.3f}".rstrip("0").rstrip(".")


def _dropped_numbers(frame: int, nominal: int) -> int:
    """Return how many numbers are skipped up to a frame.

    Of each minute the first numbers are skipped, 2 of 30 and 4 of 60, but not of each tenth minute.
    """
    dropped = nominal // 15
    ten_minutes = 600 * nominal - 9 * dropped
    tens, rest = divmod(frame, ten_minutes)
    first_minute = 60 * nominal
    minutes = 0 if rest < first_minute else 1 + (rest - first_minute) // (first_minute - dropped)
    return dropped * (9 * tens + minutes)
