# SPDX-License-Identifier: Apache-2.0
"""Change between neighbouring samples of a region: where strokes appear that stay.

A raw difference of two frames says that the background moved. Strokes of a caption are new against
the last frame that was looked at for text, and stand at the same pixels in two samples; edges of a
moving background do not.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.strokes import (
    LEAST_CONTRAST,
    Gradients,
    contrast,
    gradients,
    grown,
    lasting,
)

BLOCK_PX = 16
"""Side of the blocks in which new strokes are counted: about a letter."""
LEAST_NEW_PX = 8
"""Fewest new edge pixels in a block of a new letter."""
LEAST_PAUSE_SECONDS = 0.35
"""Shortest time between two looks for text: a moving background may always seem new."""
MOST_PAUSE_SECONDS = 1.0
"""Longest time between two looks for text."""


@dataclass(frozen=True)
class ChangeState:
    """Knowledge about the samples of a video so far."""

    last: NDArray[np.int16] | None = None
    """[2, H, W] gradients of the last sample, None before the first."""
    known: NDArray[np.bool_] | None = None
    """[H, W] strokes of the last sample that was looked at for text, None before the first."""
    looked_seconds: float = 0.0
    """PTS of that sample."""
    is_due: bool = False
    """True if new strokes were seen, and the next sample is to be looked at."""

    def __post_init__(self) -> None:
        if self.last is not None and self.last.ndim != 3:  # a state from outside
            raise ValueError(f"gradients have {self.last.ndim} dimensions: they have three")
        if (self.last is None) != (self.known is None):
            raise ValueError("a state has both of the last sample and its strokes, or none")


def new_strokes(state: ChangeState, picture: Gradients, size: NDArray[np.int16]) -> int:
    """Return how many new edge pixels that stay the fullest block has.

    Args:
        picture: [2, H, W] gradients of the next sample.
        size: its contrast.
    """
    if state.last is None or state.known is None:
        return BLOCK_PX**2
    new = lasting(state.last, picture, size)
    new &= ~state.known
    return int(_block_counts(new).max())


def after_sample(
    state: ChangeState, brightness: NDArray[np.int16], at_seconds: float
) -> tuple[ChangeState, bool]:
    """Return the state after the next sample, and whether it is to be looked at for text.

    A sample is looked at one step after new strokes were seen, so that a caption that fades in is
    complete.

    Args:
        brightness: [H, W] luma of the sample.
    """
    picture = gradients(brightness)
    size = contrast(picture)
    pause_seconds = at_seconds - state.looked_seconds
    is_first = state.last is None
    is_new = is_first or new_strokes(state, picture, size) >= LEAST_NEW_PX
    looks = (
        is_first
        or (state.is_due and pause_seconds >= LEAST_PAUSE_SECONDS)
        or pause_seconds >= MOST_PAUSE_SECONDS
    )
    if not looks:
        return replace(state, last=picture, is_due=state.is_due or is_new), False
    known = grown(size >= LEAST_CONTRAST // 2)
    # Strokes that began to appear in this very sample are not known to stay.
    return ChangeState(picture, known, at_seconds, is_due=is_first), True


def _block_counts(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of true pixels of each block; blocks at the end may be smaller."""
    rows = np.add.reduceat(mask, range(0, mask.shape[0], BLOCK_PX), axis=0, dtype=np.int64)
    return np.asarray(np.add.reduceat(rows, range(0, mask.shape[1], BLOCK_PX), axis=1), np.int64)
