# SPDX-License-Identifier: Apache-2.0
"""What a clip can hold: the times of its frames, their size and number."""

import itertools
from collections.abc import Sequence
from fractions import Fraction

from trireel_backend.clips.options import CODECS, ClipOptions
from trireel_backend.errors import InvalidInput

MS = Fraction(1, 1000)  # WebM's unit of time
MAX_SIDE_PX = 8192
MAX_TIME_MS = 10**12  # 31 years


def clip_times_ms(pts: Sequence[int], time_base: Fraction) -> tuple[int, ...]:
    """Return the PTS of frames in a clip, in milliseconds: rounded to the nearest, halves up.

    A clip whose first PTS is negative begins at 0, because WebM has no negative times.

    Args:
        pts: PTS of each frame in units of `time_base`, in order.
        time_base: seconds of one unit.

    Raises:
        InvalidInput: if the times are not in order, or less than 1 ms apart.
    """
    if not pts:
        raise InvalidInput("got 0 frames: give 1 or more")
    if time_base <= 0:
        raise InvalidInput(f"TIME_BASE is {time_base}: give a positive fraction")
    scale = time_base / MS
    times = [
        (2 * value * scale.numerator + scale.denominator) // (2 * scale.denominator)
        for value in map(int, pts)
    ]
    for index, (before, after) in enumerate(itertools.pairwise(times), 1):
        if after <= before:
            raise InvalidInput(
                f"PTS[{index}] is {after - before} ms after the one before it: give frames in"
                " order, at least 1 ms apart, which is WebM's unit of time"
            )
    if max(map(abs, times)) > MAX_TIME_MS:
        raise InvalidInput(f"PTS are up to {times[-1]} ms: give times up to {MAX_TIME_MS} ms")
    shift = -min(times[0], 0)
    return tuple(time + shift for time in times)


def check_frames(shape: Sequence[int], options: ClipOptions, max_bytes: int) -> None:
    """Check the shape [f, h, w, 3] of a clip's frames.

    Args:
        max_bytes: most bytes of the frames of one clip.

    Raises:
        InvalidInput: if there are no frames, too many, or none of such a size can be encoded.
    """
    count, height, width, channels = shape
    least = CODECS[options.codec].least_side_px
    if channels != 3:
        raise InvalidInput(f"FRAMES have {channels} channels: give 3, RGB")
    if not (least <= width <= MAX_SIDE_PX and least <= height <= MAX_SIDE_PX):
        raise InvalidInput(
            f"got frames of {width} x {height}: give {least} to {MAX_SIDE_PX} px a side for"
            f" {options.codec}"
        )
    fitting = max_bytes // (width * height * 3)
    if not 1 <= count <= fitting:
        raise InvalidInput(
            f"got {count} frames of {width} x {height}: give 1 to {fitting} of this size a clip"
        )
