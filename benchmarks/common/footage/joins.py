# SPDX-License-Identifier: Apache-2.0
"""The pictures within gradual joins: dissolves, fades and wipes."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mixer = Callable[[Picture, Picture, float, str], Picture]
"""Mixes the outgoing and the incoming frame; takes the part of the join that is over, [0, 1)."""

FADE_COLOURS = {"black": 0, "white": 255}
WIPES = ("left", "right", "up", "down", "diagonal", "iris", "push")
SOFT_EDGE = 0.06  # part of the picture over which a wipe mixes both shots
HOLD = 0.1  # part of a fade that shows just the colour


def blend(first: Picture, second: Picture, share: float) -> Picture:
    """Return a frame with `share` of the second one in it."""
    mixed = first.astype(np.float32) * (1 - share) + second.astype(np.float32) * share
    return (mixed + 0.5).astype(np.uint8)


def dissolve(before: Picture, after: Picture, share: float, style: str = "") -> Picture:
    """Return a frame of a dissolve."""
    return blend(before, after, share)


def fade(before: Picture, after: Picture, share: float, style: str = "black") -> Picture:
    """Return a frame of a fade out to a colour and in again."""
    colour = np.full_like(before, FADE_COLOURS[style])
    half = (1 - HOLD) / 2
    if share < half:
        return blend(before, colour, share / half)
    return blend(colour, after, max(0.0, share - half - HOLD) / half)


def wipe(before: Picture, after: Picture, share: float, style: str = "left") -> Picture:
    """Return a frame of a wipe in one of the movements of WIPES."""
    if style == "push":
        shift = round(share * before.shape[1])
        return np.concatenate([before[:, shift:], after[:, :shift]], axis=1)
    order = _order(before.shape[0], before.shape[1], style)
    edge = share * (1 + SOFT_EDGE)
    mask = np.clip((edge - order) / SOFT_EDGE, 0.0, 1.0)[..., None]
    mixed = before.astype(np.float32) * (1 - mask) + after.astype(np.float32) * mask
    return (mixed + 0.5).astype(np.uint8)


def _order(height: int, width: int, style: str) -> NDArray[np.float32]:
    """Return the part of the wipe, in [0, 1], at which each pixel [H, W] changes."""
    x = np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32), (height, width))
    y = np.broadcast_to(np.linspace(0, 1, height, dtype=np.float32)[:, None], (height, width))
    if style == "iris":
        radius = np.hypot(x - 0.5, y - 0.5)
        return (radius / radius.max()).astype(np.float32)
    orders = {"left": x, "right": 1 - x, "up": 1 - y, "down": y, "diagonal": (x + y) / 2}
    return orders[style]


MIXERS: dict[str, Mixer] = {"dissolve": dissolve, "fade": fade, "wipe": wipe}
"""Mixers by the kind of join."""
