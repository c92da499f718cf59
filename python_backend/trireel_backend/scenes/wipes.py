# SPDX-License-Identifier: Apache-2.0
"""Wipes: a straight border that moves over the picture at an even pace.

While the border moves, most of the change from frame to frame lies near it. So for each direction
and duration the change near the supposed border is compared with the change of the whole picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.gradual import Window
from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.sampling import spans, thinned
from trireel_backend.scenes.signals import histogram_distances, moved_pixels

DURATIONS_SECONDS = (0.3, 0.4, 0.53, 0.7, 0.93, 1.2, 1.6)
LEAST_STEPS = 5
LEAST_COLOUR_DISTANCE = 0.3
BORDER_REACH = 2
"""Rows or columns by which the border may be elsewhere than supposed."""
NEAR_RATIO = 1.6
"""The border shows in a step if the change near it is so much larger than that of the picture."""
LEAST_SHARE = 0.85
"""Least share of steps in which the border shows."""
LEAST_SCORE = 2.8
"""Least median of the ratio over the steps."""
SHORT_SECONDS = 0.5
SHORT_LEAST_SCORE = 4.5
"""Least median in a shorter wipe, which something that moves fast resembles."""
NOISE = 1.0


def wipes(run: Run, cuts: Sequence[int]) -> list[Window]:
    """Return the wipes of a run; of those that overlap, the clearest.

    Args:
        cuts: indices of hard cuts, which no wipe contains.
    """
    chosen = thinned(run.seconds)
    seconds, colours = run.seconds[chosen], run.histograms[chosen]
    barriers = np.searchsorted(chosen, np.asarray(cuts, np.intp))
    firsts, lasts = spans(seconds, DURATIONS_SECONDS, least_steps=LEAST_STEPS, barriers=barriers)
    differ = histogram_distances(colours[firsts], colours[lasts]) >= LEAST_COLOUR_DISTANCE
    pairs = list(zip(firsts[differ].tolist(), lasts[differ].tolist(), strict=True))
    if not pairs:
        return []
    changes = moved_pixels(run.luma[chosen[:-1]], run.luma[chosen[1:]], reach_px=1)
    found: list[Window] = []
    for axis in (1, 2):
        profile = changes.mean(axis=axis, dtype=np.float32)
        near, whole = _near_border(profile), profile.mean(axis=1) + NOISE
        ratios = near / whole[:, None]
        for along in (ratios, ratios[:, ::-1]):
            for first, last in pairs:
                score = _score(along, seconds, first, last)
                if score > 0:
                    found.append(Window(int(chosen[first]), int(chosen[last]), score, 0.0))
    return [
        window
        for position, window in enumerate(found)
        if all(
            not window.overlaps(other) or (other.score, -place) <= (window.score, -position)
            for place, other in enumerate(found)
        )
    ]


def _near_border(profile: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return for each row or column the largest change near it."""
    padded = np.pad(profile, ((0, 0), (BORDER_REACH, BORDER_REACH)), mode="edge")
    width = profile.shape[1]
    shifted = [padded[:, shift : shift + width] for shift in range(2 * BORDER_REACH + 1)]
    nearest: NDArray[np.float32] = np.max(shifted, axis=0)
    return nearest


def _score(
    ratios: NDArray[np.float32], seconds: NDArray[np.float64], first: int, last: int
) -> float:
    """Return the median ratio along the border's supposed way, 0 if the border is not clear."""
    width, steps = ratios.shape[1], last - first
    length_seconds = seconds[last] - seconds[first]
    shares = (seconds[first + 1 : last + 1] - seconds[first]) / length_seconds
    places = np.minimum((shares * width).astype(np.intp), width - 1)
    along = ratios[np.arange(first, last), places]
    if np.count_nonzero(along > NEAR_RATIO) < LEAST_SHARE * steps:
        return 0.0
    score = float(np.median(along))
    least = SHORT_LEAST_SCORE if length_seconds < SHORT_SECONDS else LEAST_SCORE
    return score if score >= least else 0.0
