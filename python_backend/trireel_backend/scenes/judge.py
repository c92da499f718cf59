# SPDX-License-Identifier: Apache-2.0
"""From frames, and TransNetV2's scores if there are any, to transitions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.fades import Fade, edges_seconds, fades
from trireel_backend.scenes.gradual import (
    DISSOLVE_SCORE,
    WIPE_SCORE,
    Window,
    kind,
    windows,
)
from trireel_backend.scenes.hard_cuts import Flash, HardCut, Run, cuts_and_flashes, is_back
from trireel_backend.scenes.joints import joined, with_ramps
from trireel_backend.scenes.transitions import DISSOLVE, FADE, WIPE, Transition, cut
from trireel_backend.scenes.wipes import wipes

CLEAR_CUT_RATIO = 1.8
"""A cut that stands out so much is never a part of a gradual transition."""
NEAR_SECONDS = 0.13
"""TransNetV2's peak may lie this far from the step that it marks."""
CUT_SCORE = 0.5
"""Least `single` of a cut that the steps do not show."""
WEAK_CUT_SCORE = 0.2
"""Least `single` near a cut that does not stand out clearly."""
CLEAR_CUT_SCORE = 0.02
"""Least `single` near a cut that stands out clearly."""
GRADUAL_SCORE = 0.42
"""Least peak of `many` in a gradual transition."""
GRADUAL_EDGE_SCORE = 0.2
"""`many` at the begin and the end of a gradual transition."""
DISSOLVE_MANY = 0.12
"""Least peak of `many` in a dissolve that the pictures show."""
FAINT_DISSOLVE_MANY = 0.25
"""Least peak of `many` in a dissolve that the pictures show only faintly."""
CLEAR_DISSOLVE = 25.0
"""Score of a window that is a dissolve although `many` is small."""


@dataclass(frozen=True)
class Scores:
    """TransNetV2's probabilities of some frames."""

    seconds: NDArray[np.float64]
    """[k] PTS of the frames that TransNetV2 was asked about."""
    single: NDArray[np.float32]
    """[k] probability that the frame is the last one before a cut, NaN if it was not judged."""
    many: NDArray[np.float32]
    """[k] probability that the frame belongs to a transition, NaN if it was not judged."""

    def peak(self, values: NDArray[np.float32], begin_seconds: float, end_seconds: float) -> float:
        """Return the largest value in an interval; NaN if no frame in it was judged."""
        inside = (self.seconds >= begin_seconds) & (self.seconds <= end_seconds)
        judged = values[inside & ~np.isnan(values)]
        return float(judged.max()) if len(judged) else float("nan")


def find_transitions(run: Run, scores: Scores | None = None) -> list[Transition]:
    """Return the transitions of a run in order of time.

    Args:
        scores: TransNetV2's answers; None to judge by the pictures alone.
    """
    (cuts, flashes), by_blank = cuts_and_flashes(run), fades(run)
    dissolve_score = DISSOLVE_SCORE if scores is None else WIPE_SCORE
    clear = [found.index for found in cuts if found.ratio >= CLEAR_CUT_RATIO]
    gradual = [
        (window, name)
        for window in windows(run, clear, WIPE_SCORE)
        if (name := kind(run, window, dissolve_score)) is not None
    ]
    moving = wipes(run, clear)
    gradual = [pair for pair in gradual if not any(pair[0].overlaps(wipe) for wipe in moving)]
    gradual += [(wipe, WIPE) for wipe in moving]
    by_blank = [with_ramps(run, fade, [window for window, _ in gradual]) for fade in by_blank]
    gradual = [pair for pair in gradual if not _covered(by_blank, pair[0])]
    if scores is not None:
        cuts = [found for found in cuts if _is_confirmed_cut(run, found, scores)]
        gradual = [pair for pair in gradual if _is_confirmed_window(run, *pair, scores)]
    found = [
        *(_fade(run, fade) for fade in by_blank),
        *(_gradual(run, window, name) for window, name in joined(run, gradual, clear)),
    ]
    found += [
        cut(float(run.seconds[hard.index]), hard.ratio, "one step between two frames stands out")
        for hard in cuts
        if not any(_swallows(other, run, hard) for other in found)
    ]
    if scores is not None:
        found += _seen_by_scores(run, scores, found, flashes)
    edges = edges_seconds(run)
    kept = [transition for transition in found if not _is_of_edge(transition, edges)]
    return sorted(kept, key=lambda transition: transition.seconds)


def _is_of_edge(transition: Transition, edges: Sequence[tuple[float, float]]) -> bool:
    """Return whether a transition only leads from a blank first picture, or to a blank last."""
    inside = any(begin <= transition.seconds <= end for begin, end in edges)
    return inside and transition.kind in (DISSOLVE, WIPE)


def _covered(by_blank: Sequence[Fade], window: Window) -> bool:
    return any(fade.first < window.last and window.first < fade.last for fade in by_blank)


def _swallows(gradual: Transition, run: Run, hard: HardCut) -> bool:
    """Return whether a cut is a part of a gradual transition; a clear cut is part of fades only."""
    if not gradual.begin_seconds <= run.seconds[hard.index] <= gradual.end_seconds:
        return False
    return gradual.kind == FADE or hard.ratio < CLEAR_CUT_RATIO


def _fade(run: Run, fade: Fade) -> Transition:
    return _between(run, fade.first, fade.last, FADE, 1.0, "a picture of one shade between")


def _gradual(run: Run, window: Window, name: str) -> Transition:
    reason = (
        "a border moves over the picture"
        if name == WIPE
        else "each frame is a mixture of the scenes before and behind"
    )
    return _between(run, window.first, window.last, name, window.score, reason)


def _between(run: Run, first: int, last: int, name: str, score: float, reason: str) -> Transition:
    """Return the gradual transition between two frames that show one scene each."""
    begin, end = float(run.seconds[min(first + 1, last)]), float(run.seconds[last])
    middle = int(np.searchsorted(run.seconds, (begin + end) / 2))
    return Transition(float(run.seconds[middle]), begin, end, name, score, reason)


def _is_confirmed_cut(run: Run, found: HardCut, scores: Scores) -> bool:
    at_seconds = float(run.seconds[found.index - 1])
    peak = scores.peak(scores.single, at_seconds - NEAR_SECONDS, at_seconds + NEAR_SECONDS)
    least = CLEAR_CUT_SCORE if found.ratio >= CLEAR_CUT_RATIO else WEAK_CUT_SCORE
    return not peak < least  # also true if nothing near was judged


def _is_confirmed_window(run: Run, window: Window, name: str, scores: Scores) -> bool:
    if name != DISSOLVE or window.score >= CLEAR_DISSOLVE:
        return True
    begin, end = run.seconds[window.first], run.seconds[window.last]
    least = DISSOLVE_MANY if window.score >= DISSOLVE_SCORE else FAINT_DISSOLVE_MANY
    return not scores.peak(scores.many, float(begin), float(end)) < least


def _stretches(scores: Scores) -> list[tuple[int, int]]:
    """Return begin and end of each stretch of frames that `many` counts to a transition."""
    high = np.nan_to_num(scores.many) > GRADUAL_EDGE_SCORE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    return [(begin, end) for begin, end in edges.reshape(-1, 2).tolist()]


def _seen_by_scores(
    run: Run, scores: Scores, found: Sequence[Transition], flashes: Sequence[Flash]
) -> list[Transition]:
    """Return the transitions that only TransNetV2 sees."""
    added: list[Transition] = []
    for begin, end in _stretches(scores):
        last = min(end, len(scores.seconds) - 1)
        begin_seconds, end_seconds = float(scores.seconds[begin]), float(scores.seconds[last])
        if any(_touches(other, begin_seconds, end_seconds) for other in found):
            continue
        if _is_interruption(run, flashes, begin_seconds, end_seconds):
            continue
        single = float(np.nanmax(scores.single[begin:end]))
        many = float(np.nanmax(scores.many[begin:end]))
        if end - begin <= 3 and single >= CUT_SCORE:
            added.append(_cut_at_step(run, begin_seconds, end_seconds, single))
        elif end - begin > 3 and many >= GRADUAL_SCORE:
            added.append(_gradual_by_scores(run, begin_seconds, end_seconds, many))
    return added


def _is_interruption(
    run: Run, flashes: Sequence[Flash], begin_seconds: float, end_seconds: float
) -> bool:
    """Return whether an interval belongs to a flash, or the picture before it is back after it."""
    for flash in flashes:
        if (
            begin_seconds <= run.seconds[flash.end] + NEAR_SECONDS
            and end_seconds >= run.seconds[flash.first] - NEAR_SECONDS
        ):
            return True
    around = begin_seconds - NEAR_SECONDS, end_seconds + NEAR_SECONDS
    before, later = (int(index) for index in np.searchsorted(run.seconds, around))
    before, later = max(0, before - 1), min(later, len(run) - 1)
    return is_back(run, before, later, float(run.steps[before + 1 : later + 1].max(initial=0)))


def _touches(transition: Transition, begin_seconds: float, end_seconds: float) -> bool:
    return (
        transition.begin_seconds <= end_seconds + NEAR_SECONDS
        and transition.end_seconds >= begin_seconds - NEAR_SECONDS
    )


def _cut_at_step(run: Run, begin_seconds: float, end_seconds: float, score: float) -> Transition:
    near = (run.seconds >= begin_seconds) & (run.seconds <= end_seconds + 1e-6)
    indices = np.flatnonzero(near)
    index = int(indices[np.argmax(run.steps[indices])])
    return cut(float(run.seconds[index]), score, "TransNetV2 sees a cut")


def _gradual_by_scores(
    run: Run, begin_seconds: float, end_seconds: float, score: float
) -> Transition:
    first = int(np.searchsorted(run.seconds, begin_seconds - 1e-6)) - 1
    last = min(int(np.searchsorted(run.seconds, end_seconds - 1e-6)), len(run) - 1)
    reason = "TransNetV2 sees a gradual transition"
    return _between(run, max(0, first), last, DISSOLVE, score, reason)
