# SPDX-License-Identifier: Apache-2.0
"""Fades: from one scene to another by way of a picture of a single shade."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.signals import correlation, histogram_distances

BLANK_DEVIATION = 6.0
"""Largest standard deviation of the luma in a blank picture."""
LONGEST_RAMP_SECONDS = 1.2
LONGEST_BLANK_SECONDS = 1.6
LEAST_FALL = 0.97
"""A ramp goes on while each frame has less contrast than this share of the frame before it."""
LEAST_COLOUR_DISTANCE = 0.3
"""Least difference of the scenes on both sides."""
SAME_PICTURE = 0.6
"""Correlation of the luma from which both sides are one scene, which a flash interrupts."""


@dataclass(frozen=True)
class Fade:
    """Frames that lead from a scene to a blank picture, and on to the next scene."""

    first: int
    """Index of the last frame of the scene before, in the run."""
    last: int
    """Index of the first frame of the scene after, in the run."""


def fades(run: Run) -> list[Fade]:
    """Return the fades of a run, in order.

    A blank picture at the begin or at the end of the run has no scene on one side and is no fade.
    Nor is a dark moment within a scene.
    """
    found = []
    for begin, end in _stretches(run.contrasts < BLANK_DEVIATION):
        if begin == 0 or end == len(run):
            continue
        if run.seconds[end - 1] - run.seconds[begin] > LONGEST_BLANK_SECONDS:
            continue
        first, last = _ramp(run, begin - 1, -1), _ramp(run, end, 1)
        distance = histogram_distances(run.histograms[first], run.histograms[last])
        is_same = correlation(run.luma[first], run.luma[last]) > SAME_PICTURE
        if float(distance) >= LEAST_COLOUR_DISTANCE and not is_same:
            found.append(Fade(first, last))
    return found


def edges_seconds(run: Run) -> list[tuple[float, float]]:
    """Return begin and end of each ramp that leads from a blank first picture, or to a blank last.

    It belongs to one scene. A picture that is blank for longer than in a fade is a scene itself.
    """
    found = []
    for begin, end in _stretches(run.contrasts < BLANK_DEVIATION):
        is_long = run.seconds[end - 1] - run.seconds[begin] > LONGEST_BLANK_SECONDS
        if is_long or (begin == 0) == (end == len(run)):
            continue
        first, last = (
            (0, _ramp(run, end, 1)) if begin == 0 else (_ramp(run, begin - 1, -1), end - 1)
        )
        found.append((float(run.seconds[first]), float(run.seconds[last])))
    return found


def _stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    pairs = edges.reshape(-1, 2).tolist()
    return [(begin, end) for begin, end in pairs]


def _ramp(run: Run, index: int, direction: int) -> int:
    """Return the index of the frame with full contrast, going away from the blank picture."""
    start_seconds = run.seconds[index]
    while True:
        following = index + direction
        if not 0 <= following < len(run):
            return index
        if abs(run.seconds[following] - start_seconds) > LONGEST_RAMP_SECONDS:
            return index
        if run.contrasts[index] > LEAST_FALL * run.contrasts[following]:
            return index
        index = following
