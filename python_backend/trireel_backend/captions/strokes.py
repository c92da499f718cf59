# SPDX-License-Identifier: Apache-2.0
"""Strokes of letters as gradients, which stay in place while the background moves."""

import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 48
"""Smallest contrast of a stroke's edge, |x| + |y| of its gradient; letters to be read have more."""

Gradients = NDArray[np.int16]
"""[2, H, W] change of luma from left to right neighbour, and from upper to lower neighbour."""


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the brightness of RGB pixels [..., 3], 0 to 255: green counts twice."""
    red, green, blue = (pixels[..., channel].astype(np.int16) for channel in range(3))
    red += blue
    green *= 2
    red += green
    red >>= 2
    return red


def gradients(brightness: NDArray[np.int16]) -> Gradients:
    """Return the gradients of a picture [H, W]; zero at its border."""
    result = np.zeros((2, *brightness.shape), np.int16)
    np.subtract(brightness[:, 2:], brightness[:, :-2], out=result[0][:, 1:-1])
    np.subtract(brightness[2:], brightness[:-2], out=result[1][1:-1])
    return result


def contrast(picture: Gradients) -> NDArray[np.int16]:
    """Return |x| + |y| of gradients, [H, W]."""
    size = np.abs(picture)
    size[0] += size[1]
    return np.asarray(size[0], np.int16)


def lasting(first: Gradients, second: Gradients, size: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return where two pictures have the same strong edge, [H, W].

    Args:
        size: contrast of the second picture.
    """
    difference = contrast(second - first)
    difference *= 2
    return np.asarray((size >= LEAST_CONTRAST) & (difference < size))


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask [H, W] that is one pixel larger on each side."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    result = rows.copy()
    result[:, 1:] |= rows[:, :-1]
    result[:, :-1] |= rows[:, 1:]
    return result
