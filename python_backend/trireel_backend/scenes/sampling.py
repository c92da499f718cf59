# SPDX-License-Identifier: Apache-2.0
"""Frames chosen by their PTS, so that the choice does not depend on the frames before."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MODEL_FPS = 30
"""TransNetV2 was trained on 25 to 30 frames a second, and counts frames."""
SPARSE_SECONDS = 0.3
"""Frames further apart show no gradual change."""
SCAN_STRIDE = 2
"""Of the frames for TransNetV2, one in two is enough to see a gradual transition."""


def thinned(seconds: NDArray[np.float64], stride: int = 1) -> NDArray[np.intp]:
    """Return the indices of the first frame in each `stride` thirtieths of a second.

    All frames of a video of up to 30 frames a second are chosen if the stride is 1. The first frame
    is always chosen, so a run must begin with a frame that is chosen for a multiple of the stride.
    """
    parts = np.floor(seconds * MODEL_FPS + 0.25)  # a quarter, so that rounding moves no frame
    parts = np.floor(parts / stride)
    return np.flatnonzero(np.diff(parts, prepend=-np.inf) > 0)


def spans(
    seconds: NDArray[np.float64],
    durations_seconds: Sequence[float],
    *,
    least_steps: int,
    barriers: Sequence[int] | NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return first and last index of the stretches of frames that last about as long as wanted.

    Args:
        seconds: [n] PTS of the frames.
        durations_seconds: wanted durations.
        least_steps: fewest steps from frame to frame in a stretch.
        barriers: indices of frames that no stretch may have behind its first frame, such as cuts.
    """
    count = len(seconds)
    firsts = np.arange(count)
    blocked = np.zeros(count, np.intp)
    blocked[1:] = np.diff(seconds) > SPARSE_SECONDS
    places = np.asarray(barriers, np.intp)
    blocked[places[places < count]] = 1
    before = np.cumsum(blocked)
    found = []
    for duration in durations_seconds:
        lasts = np.searchsorted(seconds, seconds + duration - 1e-6)
        good = (lasts < count) & (lasts - firsts >= least_steps)
        good[good] = before[lasts[good]] == before[firsts[good]]
        found.append(firsts[good] * count + lasts[good])
    codes = np.unique(np.concatenate(found))
    return codes // max(1, count), codes % max(1, count)
