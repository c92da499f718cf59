# SPDX-License-Identifier: Apache-2.0
"""Cheap measures of how two small pictures of a video differ.

All pictures are uint8 RGB [27, 48, 3], the size that TransNetV2 was trained on.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

HEIGHT_PX, WIDTH_PX = 27, 48
MOST_LUMA = 255
BINS = 512
"""Bins of a colour histogram: three bits a colour."""
STILL_DIFFERENCE = 2
"""Mean difference of luma below which motion is not looked for."""


def luma(pixels: Pixels) -> NDArray[np.int16]:
    """Return the brightness [n, 27, 48] of pictures [n, 27, 48, 3], 0 to 255."""
    colours = pixels.astype(np.int16)
    brightness: NDArray[np.int16] = (colours[..., 0] + 2 * colours[..., 1] + colours[..., 2]) >> 2
    return brightness


def moved_pixels(
    before: NDArray[np.int16], after: NDArray[np.int16], reach_px: int
) -> NDArray[np.int16]:
    """Return the difference of each pixel [n, 27, 48] of luma pictures, small motions left out.

    Each pixel is compared with the pixels around its place, up to `reach_px` away, and the smallest
    difference counts.
    """
    size = 2 * reach_px + 1
    rows = np.clip(np.arange(-reach_px, HEIGHT_PX + reach_px), 0, HEIGHT_PX - 1)
    columns = np.clip(np.arange(-reach_px, WIDTH_PX + reach_px), 0, WIDTH_PX - 1)
    around = before.take(rows, axis=1).take(columns, axis=2)
    least = np.full(after.shape, MOST_LUMA, np.int16)
    distance = np.empty_like(least)
    for top in range(size):
        for left in range(size):
            moved = around[:, top : top + HEIGHT_PX, left : left + WIDTH_PX]
            np.subtract(moved, after, out=distance)
            np.abs(distance, out=distance)
            np.minimum(least, distance, out=least)
    return least


def moved_differences(
    before: NDArray[np.int16], after: NDArray[np.int16], reach_px: int
) -> NDArray[np.float32]:
    """Return the mean [n] of `moved_pixels`."""
    pixels = moved_pixels(before, after, reach_px)
    means: NDArray[np.float32] = pixels.mean(axis=(1, 2), dtype=np.float32)
    return means


def step_differences(brightness: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return for each picture [n, 27, 48] its difference [n] from the picture before it.

    Motion by one pixel is left out; the first value is 0.
    """
    steps = np.zeros(len(brightness), np.float32)
    steps[1:] = np.abs(np.diff(brightness, axis=0)).mean(axis=(1, 2), dtype=np.float32)
    moving = np.flatnonzero(steps > STILL_DIFFERENCE)
    if len(moving):
        steps[moving] = moved_differences(brightness[moving - 1], brightness[moving], reach_px=1)
    return steps


def histograms(pixels: Pixels) -> NDArray[np.float32]:
    """Return the colour histograms [n, 512] of pictures [n, 27, 48, 3]; each sums to 1."""
    bits = pixels.reshape(len(pixels), HEIGHT_PX * WIDTH_PX, 3) >> 5
    bins = bits[..., 0].astype(np.intp)
    bins <<= 3
    bins |= bits[..., 1]
    bins <<= 3
    bins |= bits[..., 2]
    if len(pixels) > 1:
        bins += BINS * np.arange(len(pixels))[:, None]
    counts = np.bincount(bins.ravel(), minlength=BINS * len(pixels))
    return (counts.reshape(len(pixels), BINS) / (HEIGHT_PX * WIDTH_PX)).astype(np.float32)


def histogram_distances(
    before: NDArray[np.float32], after: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the share [n] of pixels, 0 to 1, that changed their bin between histograms."""
    distances: NDArray[np.float32] = np.abs(after - before).sum(axis=-1) / 2
    return distances


def correlation(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """Return Pearson's correlation of two luma pictures [27, 48]; 0 if one of them is blank."""
    first, second = one.ravel().astype(np.float64), other.ravel().astype(np.float64)
    first, second = first - first.mean(), second - second.mean()
    length = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / length if length > 0 else 0.0
