# SPDX-License-Identifier: Apache-2.0
"""Distance of each frame's embedding from a running average of the scene before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD
from trireel_schema.vectors import unit


@dataclass(frozen=True)
class SceneScan:
    """Scores and cuts of a run of frames, and the running average after it."""

    scores: NDArray[np.float32]
    """[f] `max(0, 1 - frame . average)` of every frame; 0 for a video's first frame."""
    cuts: NDArray[np.int32]
    """[c] indices of the frames that begin a new scene."""
    average: NDArray[np.float32]
    """[D] running average after the last frame, unit length."""


def scan_scenes(
    embeddings: NDArray[np.float32],
    average: NDArray[np.float32] | None,
    *,
    threshold: float = DEFAULT_SCENE_THRESHOLD,
    alpha: float = DEFAULT_SCENE_ALPHA,
) -> SceneScan:
    """Score every frame against the exponential moving average of the scene it belongs to.

    A frame whose score reaches `threshold` is a cut, and the average restarts from that frame. So
    each cut is reported once; an average that continued would report it until it caught up.

    Args:
        embeddings: [f, D] unit length, f >= 1, in order of time.
        average: [D] the average so far, None at the start of a video.
        threshold: smallest score of a cut, in 0..2.
        alpha: weight of the newest frame, in 0..1: `average = unit((1 - alpha) average +
            alpha frame)`.
    """
    scores = np.zeros(len(embeddings), np.float32)
    cuts: list[int] = []
    for index, frame in enumerate(embeddings):
        if average is None:
            average = frame
            continue
        scores[index] = max(0.0, 1.0 - float(frame @ average))
        if scores[index] >= threshold:
            cuts.append(index)
            average = frame
        else:
            average = unit((1 - alpha) * average + alpha * frame)
    if average is None:
        raise ValueError("got no frames: a scan needs at least one embedding")
    return SceneScan(scores, np.array(cuts, np.int32), average.astype(np.float32))
