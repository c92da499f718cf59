# SPDX-License-Identifier: Apache-2.0
"""Frames chosen by their PTS, so that the choice does not depend on the frames before."""

import numpy as np
from numpy.typing import NDArray

MODEL_FPS = 30
"""TransNetV2 was trained on 25 to 30 frames a second, and counts frames."""
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
