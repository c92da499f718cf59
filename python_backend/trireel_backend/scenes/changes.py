# SPDX-License-Identifier: Apache-2.0
"""Whether the picture changes from one thumbnail to another."""

import numpy as np
from numpy.typing import NDArray

LEAST_DIFFERENCE = 6.0  # of a change, mean over all values of 0 to 255


def is_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Return whether two thumbnails, uint8 [27, 48, 3] each, differ as if a cut were between."""
    difference = np.abs(first.astype(np.int16) - second)
    return float(difference.mean()) > LEAST_DIFFERENCE
