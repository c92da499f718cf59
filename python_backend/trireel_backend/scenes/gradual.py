# SPDX-License-Identifier: Apache-2.0
"""Gradual transitions: frames that lead in a straight line from one picture to another.

In a dissolve every frame is a mixture of the scene before and the scene after. Seen as points, the
frames then lie on the line between both, in order and at even distances. Motion does not: its
frames leave the line. A wipe lies on the same line only on the whole, but each of its pixels is one
scene or the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.sampling import SCAN_STRIDE, spans, thinned
from trireel_backend.scenes.signals import HEIGHT_PX, WIDTH_PX, correlation, histogram_distances
from trireel_backend.scenes.transitions import DISSOLVE, WIPE

DURATIONS_SECONDS = (0.2, 0.3, 0.42, 0.6, 0.85, 1.2, 1.7, 2.4)
"""Lengths that are tried; a transition of another length is found by the nearest."""
LEAST_FRAMES = 3
LEAST_DISTANCE = 18.0
"""Smallest root mean square difference of the pictures on both ends, at full contrast."""
FULL_CONTRAST = 45.0
LEAST_CONTRAST = 15.0
"""Standard deviation of the luma in a picture of full, and of the least contrast."""
MOST_OFF_LINE = 0.6
"""Distance from the line, beside the distance of both ends, at which the score is 0."""
MOST_UNEVEN = 0.4
"""Distance from an even pace at which the score is 0."""
MOST_STEP = 0.35
MOST_BACK = 0.12
LEAST_COLOUR_DISTANCE = 0.1
FULL_COLOUR_DISTANCE = 0.4
WIPE_SCORE = 7.0
"""Least score of a wipe, and of a dissolve that TransNetV2 confirms."""
DISSOLVE_SCORE = 10.0
"""Least score of a dissolve, if the pictures alone decide."""
WIPE_REMAINDER = 0.35
"""Largest share that is neither scene in a wipe; about 0.28 in a dissolve."""
WIPE_OFF_LINE = 0.33
WIPE_FIT = 0.42
"""Smallest share of the pixels' times that the shape of a wipe explains."""
WIPE_CHANGE = 60
"""Smallest sum over R, G and B by which a pixel must change to have a time."""
SAME_PICTURE = 0.9
"""Correlation of the luma from which both ends are one scene in another light."""
MOST_DISSOLVE_OFF_LINE = 0.45
FRAME_VALUES = HEIGHT_PX * WIDTH_PX * 3


@dataclass(frozen=True)
class Window:
    """Frames that may be a gradual transition."""

    first: int
    """Index of the last frame of the scene before, in the run."""
    last: int
    """Index of the first frame of the scene after, in the run."""
    score: float
    """Difference of both scenes in levels of 255, lessened by all that does not fit."""
    off_line: float
    """Mean distance of the middle frames from the line, beside the distance of both ends."""

    def overlaps(self, other: "Window") -> bool:
        """Return whether two windows share more than an end."""
        return self.first < other.last and other.first < self.last


def windows(run: Run, cuts: Sequence[int], least_score: float) -> list[Window]:
    """Return the windows of at least a score that are better than all others they overlap.

    Args:
        cuts: indices of hard cuts, which no window contains.
    """
    chosen = thinned(run.seconds, SCAN_STRIDE)
    seconds, colours = run.seconds[chosen], run.histograms[chosen]
    barriers = np.searchsorted(chosen, np.asarray(cuts, np.intp))
    firsts, lasts = spans(seconds, DURATIONS_SECONDS, least_steps=LEAST_FRAMES, barriers=barriers)
    if len(firsts) == 0:
        return []
    shares = _colour_shares(histogram_distances(colours[firsts], colours[lasts]))
    firsts, lasts, shares = firsts[shares > 0], lasts[shares > 0], shares[shares > 0]
    distances = _squared_distances(run, chosen)
    contrasts = run.contrasts[chosen].clip(LEAST_CONTRAST, FULL_CONTRAST)
    gains = 2 * FULL_CONTRAST / (contrasts[firsts] + contrasts[lasts])
    lengths = gains * np.sqrt(distances[firsts, lasts])
    scores = np.where(lengths >= LEAST_DISTANCE, shares * lengths, 0.0)
    found: list[Window] = []
    for index in np.flatnonzero(scores >= least_score).tolist():
        first, last = int(firsts[index]), int(lasts[index])
        fit, off_line = _fit(distances, seconds, first, last)
        score = float(scores[index]) * fit
        if score >= least_score:
            found.append(Window(int(chosen[first]), int(chosen[last]), score, off_line))
    return [window for window in found if _is_best(window, found)]


def kind(run: Run, window: Window, dissolve_score: float = DISSOLVE_SCORE) -> str | None:
    """Return whether a window is a DISSOLVE or a WIPE, None if it is rather motion."""
    if correlation(run.luma[window.first], run.luma[window.last]) > SAME_PICTURE:
        return None  # the light changes, the picture stays
    if window.off_line > WIPE_OFF_LINE and _wipe_fit(run, window) >= WIPE_FIT:
        return WIPE
    is_dissolve = window.score >= dissolve_score and window.off_line <= MOST_DISSOLVE_OFF_LINE
    return DISSOLVE if is_dissolve else None


def _wipe_fit(run: Run, window: Window) -> float:
    """Return how well a moving border explains when the pixels change, 0 to 1.

    In a wipe each pixel changes once, from one scene to the other, and the times of neighbours are
    near. The times are fitted by the place, the distances from the middle lines and the radius, so
    that a border of any usual shape fits; see linear least squares, R squared.
    """
    before = run.pixels[window.first].astype(np.int16)
    after = run.pixels[window.last].astype(np.int16)
    middle = run.pixels[window.first + 1 : window.last].astype(np.int16)
    from_before, from_after = (
        np.abs(middle - before).sum(axis=3),
        np.abs(middle - after).sum(axis=3),
    )
    change = np.abs(after - before).sum(axis=2)
    neither = np.minimum(from_before, from_after).mean() / max(1.0, float(change.mean()))
    changing = change >= WIPE_CHANGE
    if neither > WIPE_REMAINDER or changing.mean() < 0.2:
        return 0.0
    times = (from_before < from_after).mean(axis=0)[changing]
    rows, columns = np.indices(changing.shape)
    down = rows[changing] / changing.shape[0] - 0.5
    right = columns[changing] / changing.shape[1] - 0.5
    shapes = np.stack(
        [np.ones_like(down), down, right, np.abs(down), np.abs(right), np.hypot(down, right)],
        axis=1,
    )
    fitted = shapes @ np.linalg.lstsq(shapes, times, rcond=None)[0]
    variance = float(times.var())
    return 0.0 if variance < 1e-3 else 1 - float((times - fitted).var()) / variance


def _squared_distances(run: Run, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean squared difference [n, n] of each two frames."""
    points = run.pixels[chosen].reshape(len(chosen), FRAME_VALUES).astype(np.float32)
    points -= points.mean(axis=0) if len(chosen) else 0
    products = (points @ points.T).astype(np.float64)
    squares = np.diag(products)
    distances: NDArray[np.float64] = squares[:, None] + squares[None, :] - 2 * products
    return np.maximum(distances, 0) / FRAME_VALUES


def _fit(
    distances: NDArray[np.float64], seconds: NDArray[np.float64], first: int, last: int
) -> tuple[float, float]:
    """Return how well the frames lie on the line, 0 to 1, and their mean distance from it."""
    length = distances[first, last]
    inner = slice(first + 1, last)
    to_first, to_last = distances[inner, first], distances[inner, last]
    shares = (to_first - to_last + length) / (2 * length)  # position along the line, 0 to 1
    middle = (shares > 0.2) & (shares < 0.8)
    if np.count_nonzero(middle) < 2:
        return 0.0, 0.0
    path = np.concatenate([[0.0], shares, [1.0]])
    steps = np.diff(path)
    if steps.max() > MOST_STEP or np.maximum(-steps, 0).sum() > MOST_BACK:
        return 0.0, 0.0
    pace = (seconds[first : last + 1] - seconds[first]) / (seconds[last] - seconds[first])
    uneven = float(np.abs(path - pace).max())
    off_line = np.sqrt(np.maximum(to_first[middle] / length - shares[middle] ** 2, 0))
    mean_off_line = float(off_line.mean())
    fit = max(0.0, 1 - mean_off_line / MOST_OFF_LINE) * max(0.0, 1 - uneven / MOST_UNEVEN)
    return fit, mean_off_line


def _colour_shares(distances: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the part of the score [w] that distances of colours leave, 0 to 1."""
    span = FULL_COLOUR_DISTANCE - LEAST_COLOUR_DISTANCE
    shares: NDArray[np.float64] = (distances.astype(np.float64) - LEAST_COLOUR_DISTANCE) / span
    return shares.clip(0.0, 1.0)


def _is_best(window: Window, others: Sequence[Window]) -> bool:
    """Return whether no overlapping window is better; of equal ones the first counts."""
    rank = (window.score, -window.first, -window.last)
    return all(
        not window.overlaps(other) or (other.score, -other.first, -other.last) <= rank
        for other in others
    )
