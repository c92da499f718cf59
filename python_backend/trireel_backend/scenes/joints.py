# SPDX-License-Identifier: Apache-2.0
"""Windows that are parts of one transition: ramps of a fade, and pieces of a long dissolve."""

from collections.abc import Sequence

import numpy as np

from trireel_backend.scenes.fades import Fade
from trireel_backend.scenes.gradual import MOST_DISSOLVE_OFF_LINE, Window
from trireel_backend.scenes.hard_cuts import Run

JOINT_SECONDS = 0.2
"""Two gradual changes so near to each other are parts of one."""
RAMP_OFF_LINE = 0.25
"""Largest distance from the line of a fade to or from a blank picture."""


def with_ramps(run: Run, fade: Fade, gradual: Sequence[Window]) -> Fade:
    """Return a fade with the straight ramps that lead to it and from it."""
    first, last = fade.first, fade.last
    for window in gradual:
        begin, end = run.seconds[window.first], run.seconds[window.last]
        is_near = begin <= run.seconds[last] + JOINT_SECONDS and (
            end >= run.seconds[first] - JOINT_SECONDS
        )
        if is_near and window.off_line <= RAMP_OFF_LINE:
            first, last = min(first, window.first), max(last, window.last)
    return Fade(first, last)


def joined(
    run: Run, gradual: Sequence[tuple[Window, str]], cuts: Sequence[int]
) -> list[tuple[Window, str]]:
    """Return the windows; neighbours that lie on one line are one long transition."""
    result: list[tuple[Window, str]] = []
    for window, name in sorted(gradual, key=lambda pair: pair[0].first):
        if result and _is_one(run, result[-1][0], window, cuts):
            last, last_name = result.pop()
            name = last_name if last.score >= window.score else name
            window = Window(
                last.first,
                window.last,
                max(last.score, window.score),
                max(last.off_line, window.off_line),
            )
        result.append((window, name))
    return result


def _is_one(run: Run, last: Window, following: Window, cuts: Sequence[int]) -> bool:
    """Return whether two neighbours are one transition: the frames between lie on its line."""
    if run.seconds[following.first] - run.seconds[last.last] > JOINT_SECONDS:
        return False
    if any(last.last < index <= following.first for index in cuts):
        return False
    ends = (last.first, last.last, following.last)
    begin, middle, end = (run.pixels[index].astype(np.float32).ravel() for index in ends)
    line = end - begin
    length = max(1.0, float(line @ line))
    share = float((middle - begin) @ line) / length
    off_line = float(np.linalg.norm(middle - begin - share * line)) / float(np.sqrt(length))
    return 0.1 < share < 0.9 and off_line <= MOST_DISSOLVE_OFF_LINE
