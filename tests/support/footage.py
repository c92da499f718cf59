# SPDX-License-Identifier: Apache-2.0
"""Small frames of the drawn world, 48 x 27 pixels, with transitions at known times."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.places.register import PLACES
from trireel_drawings.scenes.camera import Camera
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

WIDTH_PX, HEIGHT_PX = 48, 27
SMOOTHNESS = 2
BLACK, WHITE = 0, 255


def times(duration_seconds: float, fps: float, start_seconds: float = 0.0) -> NDArray[np.float64]:
    """Return the PTS of frames at a constant rate."""
    return start_seconds + np.arange(round(duration_seconds * fps)) / fps


def shot(
    number: int, seconds: NDArray[np.float64], camera: Camera | None = None
) -> NDArray[np.uint8]:
    """Return the frames [n, 27, 48, 3] of a drawn shot, in which people move."""
    return np.stack([_frame(number, round(float(time), 6), camera) for time in seconds])


@cache
def _frame(number: int, seconds: float, camera: Camera | None) -> NDArray[np.uint8]:
    tags = sorted(PLACES)
    tag = tags[number % len(tags)]
    scene = draw_scene(HELD_OUT_SEED + number, tag, next(iter(PLACES[tag].acts)))
    size_px = (WIDTH_PX, HEIGHT_PX)
    return scene.frame(seconds, size_px, oversampling=SMOOTHNESS, camera=camera)


def shade(level: int, count: int) -> NDArray[np.uint8]:
    """Return frames of one shade of grey."""
    return np.full((count, HEIGHT_PX, WIDTH_PX, 3), level, np.uint8)


def cut_at(
    seconds: NDArray[np.float64], cuts: Sequence[float], numbers: Sequence[int]
) -> NDArray[np.uint8]:
    """Return frames of shots that follow each other by hard cuts."""
    parts = np.searchsorted(cuts, seconds, side="right")
    drawn = [shot(numbers[part], seconds[index : index + 1]) for index, part in enumerate(parts)]
    return np.concatenate(drawn)


def shares(
    seconds: NDArray[np.float64], begin_seconds: float, duration_seconds: float
) -> NDArray[np.float64]:
    """Return how far a gradual transition has come at each PTS, 0 to 1."""
    return ((seconds - begin_seconds) / duration_seconds).clip(0, 1)


def dissolved(
    before: NDArray[np.uint8], after: NDArray[np.uint8], share: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return mixtures of the frames of two shots."""
    weight = share[:, None, None, None]
    return np.rint(before * (1 - weight) + after * weight).astype(np.uint8)


def wiped(
    before: NDArray[np.uint8], after: NDArray[np.uint8], share: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return frames over which a border moves from left to right."""
    is_after = (np.arange(WIDTH_PX) + 0.5) / WIDTH_PX < share[:, None]
    return np.where(is_after[:, None, :, None], after, before)


def brightened(frames: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    """Return frames with this much added to each colour."""
    return (frames.astype(np.int16) + levels).clip(0, 255).astype(np.uint8)


def panned(number: int, seconds: NDArray[np.float64], px_per_second: float) -> NDArray[np.uint8]:
    """Return frames of a camera that turns over a wide still picture."""
    still = shot(number, np.zeros(1))[0]
    wide = np.concatenate([still, still[:, ::-1]], axis=1).astype(np.float64)
    frames = []
    for time in seconds:
        whole, rest = divmod(float(time) * px_per_second, 1.0)
        left = np.roll(wide, -int(whole), axis=1)[:, :WIDTH_PX]
        right = np.roll(wide, -int(whole) - 1, axis=1)[:, :WIDTH_PX]
        frames.append(np.rint(left * (1 - rest) + right * rest))
    return np.stack(frames).astype(np.uint8)


def varied() -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return 22 s of footage with every kind of transition, and what only looks like one."""
    seconds = times(22, 25)
    frames = cut_at(seconds, (3, 6.4, 6.8, 13, 17), (0, 3, 8, 3, 9, 14))
    frames[40:42] = brightened(frames[40:42], 110)
    here = (seconds >= 8) & (seconds < 13)
    part = seconds[here]
    mixed = dissolved(frames[here], shot(16, part), shares(part, 9, 0.6))
    frames[here] = wiped(mixed, shot(5, part), shares(part, 11, 0.8))
    black = shade(BLACK, len(seconds))
    frames = dissolved(frames, black, 1 - np.abs(seconds - 17).clip(0, 0.6) / 0.6)
    last = seconds >= 19.5
    frames[last] = panned(11, seconds[last], 12)
    return frames, seconds


def judged(windows: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return SINGLE and MANY [w, 100] for windows, in place of TransNetV2: lasting steps alone."""
    padded = np.pad(windows.astype(np.int16), [(0, 0), (2, 3), (0, 0), (0, 0), (0, 0)], mode="edge")
    step, lasting = (
        np.abs(padded[:, last : last + 100] - padded[:, first : first + 100]).mean(axis=(2, 3, 4))
        for first, last in ((2, 3), (0, 5))
    )
    single = np.clip(np.minimum(step, lasting) / 40, 0, 0.95).astype(np.float32)
    many = np.maximum(single, np.pad(single, ((0, 0), (1, 0)))[:, :-1])
    return single, many
