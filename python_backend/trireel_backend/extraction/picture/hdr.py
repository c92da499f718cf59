# SPDX-License-Identifier: Apache-2.0
"""From high dynamic range to the standard range that picture models have been trained on.

The transfer functions follow ITU-R BT.2100, the level of diffuse white follows BT.2408.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Linear = NDArray[np.float32]

WHITE_NITS = 203.0  # diffuse white in HDR pictures, BT.2408
PEAK_NITS = 1000.0  # light of this level or brighter becomes full white
PQ_PEAK_NITS = 10000.0
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
HLG_A = 0.17883277
HLG_B = 1 - 4 * HLG_A
HLG_C = 0.5 - HLG_A * np.log(4 * HLG_A)
HLG_SYSTEM_GAMMA = 1.2  # of a display of 1000 nits
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
BT2020_TO_BT709 = np.array(  # linear light, BT.2087
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)


def pq_to_nits(signal: Linear) -> Linear:
    """Return the light [.., 3] in cd/m2 of a PQ signal 0..1 (SMPTE ST 2084)."""
    root = np.power(signal, np.float32(1 / PQ_M2))
    ratio = np.maximum(root - PQ_C1, 0) / (PQ_C2 - PQ_C3 * root)
    return np.asarray(PQ_PEAK_NITS * np.power(ratio, 1 / PQ_M1), np.float32)


def hlg_to_nits(signal: Linear) -> Linear:
    """Return the light [.., 3] in cd/m2 that a display of 1000 nits gives to an HLG signal 0..1."""
    low = np.square(signal) / 3
    high = (np.exp((np.maximum(signal, 0.5) - HLG_C) / HLG_A) + HLG_B) / 12
    scene = np.where(signal <= 0.5, low, high)
    luminance = scene @ LUMA_2020
    gain = np.power(np.maximum(luminance, 1e-6), HLG_SYSTEM_GAMMA - 1)
    return np.asarray(PEAK_NITS * scene * gain[..., None], np.float32)


TO_NITS: dict[int, Callable[[Linear], Linear]] = {16: pq_to_nits, 18: hlg_to_nits}
"""Conversion to light for each HDR transfer characteristic (ITU-T H.273)."""


def tone_map(picture: NDArray[np.uint16], transfer: int) -> NDArray[np.uint8]:
    """Map a picture to standard range.

    Args:
        picture: [H, W, 3] RGB of 16 bits with BT.2020 primaries.
        transfer: one of `TO_NITS`.

    Returns:
        [H, W, 3] sRGB. Light up to a third of diffuse white hardly changes; brighter light is
        compressed (Reinhard's curve with a white point), so that highlights keep their shape.
    """
    nits = TO_NITS[transfer](picture.astype(np.float32) / 65535)
    light = nits / WHITE_NITS
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    peak = PEAK_NITS / WHITE_NITS
    mapped = brightest * (1 + brightest / peak**2) / (1 + brightest)
    # One factor for all three colours keeps the hue.
    standard = np.clip((light * (mapped / brightest)) @ BT2020_TO_BT709.T, 0, 1)
    encoded = np.where(
        standard <= 0.0031308, 12.92 * standard, 1.055 * np.power(standard, 1 / 2.4) - 0.055
    )
    return np.asarray(np.round(encoded * 255), np.uint8)
