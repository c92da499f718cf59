# SPDX-License-Identifier: Apache-2.0
"""Training pictures: frames of drawn scenes with the losses that frames of a video have."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.runs.drawing import draw_pieces
from trireel_drawings.scenes.scene import draw_scene

IMAGE_SIZE_PX = 96  # side of the tiny checkpoint's pictures
FRAMES_PER_SCENE = 2
LONGEST_GAP_SECONDS = 12.0  # between the two frames of a scene
LONGEST_START_SECONDS = 30.0
SCENES_PER_JOB = 110
DEGRADE_STREAM = 100  # of the scene's dice, see trireel_drawings.scenes.scene

SOURCES: tuple[tuple[tuple[int, int], int], ...] = (
    ((128, 128), 1),
    ((128, 128), 2),
    ((160, 160), 1),
    ((192, 192), 1),
    ((192, 192), 2),
    ((192, 108), 1),
    ((256, 144), 1),
    ((160, 90), 2),
    ((384, 384), 1),
    ((96, 96), 2),
)
"""Sizes in pixels at which training frames are drawn, and their oversampling."""

FILTERS = (
    Image.Resampling.BICUBIC,
    Image.Resampling.BICUBIC,
    Image.Resampling.BILINEAR,
    Image.Resampling.BOX,
    Image.Resampling.LANCZOS,
)


@dataclass(frozen=True)
class Pool:
    """Frames that fit into memory."""

    frames: NDArray[np.uint8]
    """[scenes, FRAMES_PER_SCENE, IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3] RGB frames."""
    pairs: NDArray[np.int64]
    """[scenes] indices into PAIRS."""


def squash(
    frame: NDArray[np.uint8], resample: Image.Resampling = Image.Resampling.BICUBIC
) -> NDArray[np.uint8]:
    """Return a frame (uint8 [H, W, 3]) resized to the square, as the model's processor does it."""
    image = Image.fromarray(frame).resize((IMAGE_SIZE_PX, IMAGE_SIZE_PX), resample)
    return np.asarray(image, dtype=np.uint8)


def draw_pool(first_seed: int, scenes_per_pair: int, *, workers: int) -> Iterator[Pool]:
    """Return pieces of the training pool, each with a few scenes of every pair.

    Args:
        first_seed: Seed of the first scene; the others follow.
        scenes_per_pair: Scenes to draw of each pair of place and activity.
        workers: Processes that draw.
    """
    total = scenes_per_pair * len(PAIRS)
    return draw_pieces(_draw_piece, first_seed, total, SCENES_PER_JOB, workers=workers)


def join(pieces: list[Pool]) -> Pool:
    """Return one pool of all pieces."""
    return Pool(
        np.concatenate([piece.frames for piece in pieces]),
        np.concatenate([piece.pairs for piece in pieces]),
    )


def _draw_piece(first_seed: int, total: int, start: int) -> Pool:
    indices = range(start, min(start + SCENES_PER_JOB, total))
    frames = [_degraded_frames(first_seed + index, index % len(PAIRS)) for index in indices]
    return Pool(np.stack(frames), np.array([index % len(PAIRS) for index in indices]))


def _degraded_frames(seed: int, pair: int) -> NDArray[np.uint8]:
    dice = Dice(seed, DEGRADE_STREAM)
    scene = draw_scene(seed, *PAIRS[pair])
    start = dice.between(0.0, LONGEST_START_SECONDS)
    times = (start, start + dice.between(0.0, LONGEST_GAP_SECONDS))
    frames = []
    for t in times:
        size_px, oversampling = dice.pick(SOURCES)
        frames.append(_degraded_frame(scene.frame(t, size_px, oversampling=oversampling), dice))
    return np.stack(frames)


def _degraded_frame(frame: NDArray[np.uint8], dice: Dice) -> NDArray[np.uint8]:
    """Return the frame after compression, loss of sharpness and a resize."""
    image = Image.fromarray(frame)
    if dice.chance(0.3):
        image = image.filter(ImageFilter.GaussianBlur(dice.between(0.2, 1.2) * image.width / 160))
    if dice.chance(0.6):
        jpeg = io.BytesIO()
        image.save(jpeg, "jpeg", quality=dice.count(20, 85))
        image = Image.open(jpeg).convert("RGB")
    return squash(np.asarray(image), dice.pick(FILTERS))
