# SPDX-License-Identifier: Apache-2.0
"""Known windows, with the probabilities that TransNetV2's own PyTorch code gives their frames.

`known_windows.npz` holds a few small pictures. The windows are made of them by arithmetic of whole
numbers: pans over pictures with cuts, a dissolve, a flash, and noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_schema.arrays import read_arrays, require_shape
from trireel_schema.errors import TowerDiffers
from trireel_schema.shots import FRAME_COLUMNS, FRAME_ROWS, FRAMES_SHAPE, WINDOW_FRAMES

PICTURE_SHAPE = (36, 64, 3)
"""Shape of a picture: larger than a frame, so that a frame can pan over it."""
MOST_DIFFERENCE_FP32 = 1e-4
"""Largest difference of a probability, if the graph is computed in fp32 throughout."""
MOST_DIFFERENCE = 0.02
"""Largest difference of a probability on a GPU, which rounds the factors of products (TF32)."""
NAMES = (
    "cuts between photographs",
    "cuts between drawings",
    "a dissolve of photographs",
    "a flash in a static shot",
    "noise",
)


@dataclass(frozen=True)
class KnownWindows:
    """Windows and their probabilities."""

    names: tuple[str, ...]
    """Name of each window, for error messages."""
    frames: NDArray[np.uint8]
    """[N, 100, 27, 48, 3] RGB."""
    single: NDArray[np.float32]
    """[N, 100] probability that a frame is the last one of a shot."""
    many: NDArray[np.float32]
    """[N, 100] probability that a frame belongs to a transition."""


def make_windows(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the windows [len(NAMES), 100, 27, 48, 3] that are made of the pictures.

    Args:
        pictures: [4, 36, 64, 3], two photographs and two drawings.
    """
    pans = [_pan(picture, index) for index, picture in enumerate(pictures)]
    photo, other_photo, drawing, other_drawing = pans
    ramp = np.arange(WINDOW_FRAMES) - 40  # a dissolve of 20 frames in the middle
    still = np.repeat(drawing[:1], WINDOW_FRAMES, axis=0)
    still[50:52] = 250
    windows = [
        _joined([photo, other_photo, photo], (30, 55)),
        _joined([drawing, other_drawing], (49,)),
        _mix(photo, other_photo, ramp),
        still,
        _noise(),
    ]
    return np.stack(windows)


def check_windows(
    known: KnownWindows,
    single: NDArray[Any],
    many: NDArray[Any],
    most: float = MOST_DIFFERENCE,
    other: str = "TransNetV2's own code",
) -> float:
    """Compare probabilities [N, 100] of the known windows; return the largest difference.

    Raises:
        TowerDiffers: if a difference is above `most`. The message names window and frame.
    """
    for name, got, expected in (("SINGLE", single, known.single), ("MANY", many, known.many)):
        if got.shape != expected.shape:
            raise TowerDiffers(f"{name} is {list(got.shape)}, it must be {list(expected.shape)}")
    got, expected = np.stack([single, many]), np.stack([known.single, known.many])
    apart = np.abs(got.astype(np.float64) - expected)
    output, window, frame = np.unravel_index(np.argmax(apart), apart.shape)  # NaN is the largest
    worst = float(apart[output, window, frame])
    if not worst <= most:
        raise TowerDiffers(
            f"in {known.names[window]!r} frame {frame} has {('SINGLE', 'MANY')[output]}"
            f" {got[output, window, frame]:.6f} instead of"
            f" {expected[output, window, frame]:.6f} by {other}, at most {most:g} apart is allowed"
        )
    return worst


def write_known_windows(
    pictures: NDArray[np.uint8], single: NDArray[Any], many: NDArray[Any], path: Path
) -> None:
    """Write `known_windows.npz`: the pictures and the windows' probabilities."""
    with path.open("wb") as file:
        np.savez_compressed(file, pictures=pictures, single=single, many=many)


def read_known_windows(path: Path) -> KnownWindows:
    """Read `known_windows.npz` and make the windows.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it lacks an array, or has one of another dtype or shape.
    """
    arrays = read_arrays(path, ("pictures", "single", "many"))
    pictures = arrays["pictures"]
    require_shape(path, "pictures", pictures, np.uint8, (4, *PICTURE_SHAPE))
    for name in ("single", "many"):
        require_shape(path, name, arrays[name], np.float32, (len(NAMES), WINDOW_FRAMES))
    return KnownWindows(NAMES, make_windows(pictures), arrays["single"], arrays["many"])


def _pan(picture: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """Move a frame over the picture and back, each picture in another direction."""
    steps = np.abs((np.arange(WINDOW_FRAMES) + 20 * index) % 64 - 32)  # 0 to 32
    rooms = (PICTURE_SHAPE[0] - FRAME_ROWS, PICTURE_SHAPE[1] - FRAME_COLUMNS)
    tops, lefts = (steps * room // 32 for room in rooms)
    frames = np.empty(FRAMES_SHAPE, np.uint8)
    for frame, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        frames[frame] = picture[top : top + FRAME_ROWS, left : left + FRAME_COLUMNS]
    return frames


def _mix(one: NDArray[np.uint8], other: NDArray[np.uint8], ramp: NDArray[Any]) -> NDArray[np.uint8]:
    """Change from one to the other while the ramp goes from 0 to 20."""
    share = np.clip(ramp, 0, 20)[:, None, None, None]
    mixed = (one.astype(np.int64) * (20 - share) + other.astype(np.int64) * share) // 20
    frames: NDArray[np.uint8] = mixed.astype(np.uint8)
    return frames


def _joined(shots: Sequence[NDArray[np.uint8]], cuts: Sequence[int]) -> NDArray[np.uint8]:
    starts, ends = (0, *cuts), (*cuts, WINDOW_FRAMES)
    parts = zip(shots, starts, ends, strict=True)
    return np.concatenate([shot[start:end] for shot, start, end in parts])


def _noise() -> NDArray[np.uint8]:
    numbers = np.arange(math.prod(FRAMES_SHAPE), dtype=np.uint64)
    scrambled = numbers * np.uint64(0x9E3779B97F4A7C15)  # the same on every machine
    scrambled ^= scrambled >> np.uint64(29)
    high_bytes = scrambled * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(56)
    noise: NDArray[np.uint8] = high_bytes.astype(np.uint8).reshape(FRAMES_SHAPE)
    return noise
