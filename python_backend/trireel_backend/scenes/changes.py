# SPDX-License-Identifier: Apache-2.0
"""Whether a scene may have ended between two pictures half a second apart."""

import numpy as np

from trireel_backend.scenes.signals import (
    Pixels,
    histogram_distances,
    histograms,
    luma,
    moved_differences,
    step_differences,
)

LEAST_HISTOGRAM_DISTANCE = 0.19
LEAST_DIFFERENCE = 3.2
REACH_PX = 2


def is_change(before: Pixels, after: Pixels) -> bool:
    """Return whether two pictures [27, 48, 3] may belong to different scenes.

    Both their colours and their shapes must differ: an object that moves leaves the colours, and a
    lamp that is switched on leaves the shapes. On edits of real clips this holds for every cut and
    for every dissolve of which at least a third lies between the pictures, and for one in five
    other pairs.
    """
    brightness = luma(before[None]), luma(after[None])
    if float(np.abs(brightness[0] - brightness[1]).mean()) <= LEAST_DIFFERENCE:
        return False  # so is the difference without motion
    colours = histograms(np.stack([before, after]))
    if float(histogram_distances(colours[0], colours[1])) <= LEAST_HISTOGRAM_DISTANCE:
        return False
    return float(moved_differences(*brightness, REACH_PX)[0]) > LEAST_DIFFERENCE


def largest_step(pictures: Pixels) -> int:
    """Return the index of the picture [n, 27, 48, 3] that differs most from the one before it."""
    return int(np.argmax(step_differences(luma(pictures))))
