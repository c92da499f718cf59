# SPDX-License-Identifier: Apache-2.0
"""The windows of frames that TransNetV2 judges.

As published, a window has 100 frames, each window begins 50 frames after the one before it, and the
50 frames in its middle are judged; see the inference code of soCzech/TransNetV2. The frames before
a video's first and behind its last are copies of these.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.changes import is_change
from trireel_backend.scenes.sampling import thinned
from trireel_backend.scenes.signals import Pixels
from trireel_backend.scenes.track import Track

WINDOW_FRAMES = 100
STRIDE_FRAMES = 50
MARGIN_FRAMES = 25
PROPOSAL_STRIDE = 4
"""Every how many frames a change is looked for."""
PROPOSAL_REACH = 9
"""Frames before and behind that are compared: 0.3 s each at 30 frames a second."""
EDGE_SECONDS = 0.3
"""Scores this near to the last judged frame may belong to a transition that goes on."""


@dataclass(frozen=True)
class Windows:
    """Windows that wait for TransNetV2."""

    indices: tuple[int, ...]
    """Numbers of the windows in the video."""
    pixels: Pixels
    """[w, 100, 27, 48, 3] RGB."""
    next_window: int
    """Number of the first window that has to wait for more frames."""


def due_windows(track: Track, *, is_last: bool, every_window: bool) -> Windows:
    """Return the windows whose frames are all there, and that may hold a transition.

    Args:
        is_last: no further frames will come.
        every_window: return windows without a change too.
    """
    chosen = thinned(track.seconds)
    total = track.model_frames_before + len(chosen)
    ready = max(0, (total - WINDOW_FRAMES + MARGIN_FRAMES) // STRIDE_FRAMES + 1)
    if is_last:
        ready = -(-total // STRIDE_FRAMES)
    indices, frames = [], []
    for index in range(track.next_window, ready):
        numbers = index * STRIDE_FRAMES - MARGIN_FRAMES + np.arange(WINDOW_FRAMES)
        places = numbers.clip(0, total - 1) - track.model_frames_before
        pixels = track.pixels[chosen[places.clip(0)]]
        if every_window or _has_change(pixels):
            indices.append(index)
            frames.append(pixels)
    stacked = np.stack(frames) if frames else np.zeros((0, WINDOW_FRAMES, *track.pixels.shape[1:]))
    return Windows(tuple(indices), stacked.astype(np.uint8), max(ready, track.next_window))


def with_scores(
    track: Track, windows: Windows, single: NDArray[np.float32], many: NDArray[np.float32]
) -> Track:
    """Return the track with TransNetV2's answers.

    Args:
        single: [w, 100] probabilities for each window.
        many: [w, 100] probabilities for each window.
    """
    return replace(
        track,
        next_window=windows.next_window,
        single=_filled(track, track.single, windows, single),
        many=_filled(track, track.many, windows, many),
    )


def _filled(
    track: Track,
    scores: NDArray[np.float32],
    windows: Windows,
    answers: NDArray[np.float32],
) -> NDArray[np.float32]:
    filled = scores.copy()
    for index, answer in zip(windows.indices, answers, strict=True):
        place = index * STRIDE_FRAMES - track.model_frames_before
        middle = answer[MARGIN_FRAMES : MARGIN_FRAMES + STRIDE_FRAMES]
        begin, end = max(0, place), min(len(scores), place + STRIDE_FRAMES)
        filled[begin:end] = middle[begin - place : end - place]
    return filled


def judged_to_seconds(track: Track) -> float:
    """Return the PTS up to which no further answer of TransNetV2 will come."""
    chosen = thinned(track.seconds)
    place = track.next_window * STRIDE_FRAMES - track.model_frames_before
    if place >= len(chosen):
        return float(track.seconds[-1])
    return float(track.seconds[chosen[max(0, place)]]) - EDGE_SECONDS


def _has_change(pixels: Pixels) -> bool:
    """Return whether the judged middle of a window may hold a transition."""
    middles = np.arange(MARGIN_FRAMES, MARGIN_FRAMES + STRIDE_FRAMES, PROPOSAL_STRIDE)
    before, behind = pixels[middles - PROPOSAL_REACH], pixels[middles + PROPOSAL_REACH]
    return any(map(is_change, before, behind))
