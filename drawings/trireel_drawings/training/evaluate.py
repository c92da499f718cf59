# SPDX-License-Identifier: Apache-2.0
"""Measures how well an embedding function knows the drawn world, and whether it sees cuts.

Nothing here needs torch: the function takes images and returns unit vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import draw_scene
from trireel_drawings.training.dataset import squash
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD

EmbedImages = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Frames (uint8 [N, S, S, 3], RGB) to unit vectors (float32 [N, D])."""

SAMPLING_SECONDS = 0.625  # 16 frames in 10 seconds
SOURCE_PX = (384, 384)  # size of frames before they are squashed
EVALUATION_STREAM = 200
LONGEST_START_SECONDS = 30.0


@dataclass(frozen=True)
class Accuracy:
    """Shares of right captions, and the probabilities of right and wrong ones."""

    top1: float
    """Share of frames whose best caption is the true one."""
    true_above_half: float
    """Share of frames with a probability above 0.5 for the true caption."""
    others_below_half: float
    """Share of wrong captions with a probability below 0.5."""
    true_probability: float
    """Mean probability of the true caption."""
    other_probability: float
    """Mean probability of the wrong captions."""


@dataclass(frozen=True)
class CutStatistics:
    """Cosines to the running average within scenes and at cuts."""

    frames: int
    """Frames that continue a scene."""
    cuts: int
    """Frames that begin another place."""
    false_cuts: int
    """Frames that continue a scene with a score above the threshold."""
    missed_cuts: int
    """Frames that begin another place with a score up to the threshold."""
    mean_cosine: float
    """Mean cosine to the running average within scenes."""
    least_cosine: float
    """Lowest cosine to the running average within scenes."""
    mean_cut_cosine: float
    """Mean cosine to the running average at cuts."""
    greatest_cut_cosine: float
    """Highest cosine to the running average at cuts."""


def held_out_frames(
    first_seed: int, scenes_per_pair: int, *, source_px: tuple[int, int] = SOURCE_PX
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw one frame of each of many scenes.

    Returns:
        Frames (uint8 [N, S, S, 3]) and the indices of their pairs in PAIRS (int64 [N]).
    """
    total = scenes_per_pair * len(PAIRS)
    frames = []
    for index in range(total):
        seed = first_seed + index
        t = Dice(seed, EVALUATION_STREAM).between(0.0, LONGEST_START_SECONDS)
        scene = draw_scene(seed, *PAIRS[index % len(PAIRS)])
        frames.append(squash(scene.frame(t, source_px)))
    return np.stack(frames), np.arange(total) % len(PAIRS)


def accuracy(
    images: NDArray[np.float32],
    texts: NDArray[np.float32],
    truth: NDArray[np.int64],
    *,
    scale: float,
    bias: float,
) -> Accuracy:
    """Compare each image with each text.

    Args:
        images: float32 [N, D], unit vectors.
        texts: float32 [C, D], unit vectors.
        truth: int64 [N], the right text of each image.
        scale: Factor of the cosine in the logit.
        bias: Added to the logit.
    """
    cosines = images @ texts.T
    probabilities = 1.0 / (1.0 + np.exp(-(scale * cosines + bias)))
    right = np.arange(len(texts)) == truth[:, None]
    return Accuracy(
        top1=float((cosines.argmax(axis=1) == truth).mean()),
        true_above_half=float((probabilities[right] > 0.5).mean()),
        others_below_half=float((probabilities[~right] < 0.5).mean()),
        true_probability=float(probabilities[right].mean()),
        other_probability=float(probabilities[~right].mean()),
    )


def running_scores(embeddings: NDArray[np.float32], starts: Sequence[int]) -> NDArray[np.float32]:
    """Return the cosine of each frame to the average of those before it; 1 for the first.

    Args:
        embeddings: float32 [N, D], unit vectors in the order of time.
        starts: Indices of frames at which the average restarts, after the frame's own score.
    """
    average = embeddings[0]
    cosines = np.ones(len(embeddings), dtype=np.float32)
    for index in range(1, len(embeddings)):
        frame = embeddings[index]
        cosines[index] = frame @ average
        mixed = (
            frame
            if index in starts
            else (1 - DEFAULT_SCENE_ALPHA) * average + DEFAULT_SCENE_ALPHA * frame
        )
        average = mixed / np.linalg.norm(mixed)
    return cosines


def cut_statistics(
    embed: EmbedImages, *, first_seed: int, scenes: int, frames_per_scene: int = 24
) -> CutStatistics:
    """Play many scenes one after another, each in another place than the one before."""
    within: list[float] = []
    at_cuts: list[float] = []
    starts = range(0, scenes * frames_per_scene, frames_per_scene)
    places = enumerate(_different_places(first_seed, scenes))
    takes = (_scene_frames(first_seed + index, pair, frames_per_scene) for index, pair in places)
    embeddings = np.concatenate([embed(take) for take in takes])
    cosines = running_scores(embeddings, starts)
    for index in range(1, len(cosines)):
        (at_cuts if index % frames_per_scene == 0 else within).append(float(cosines[index]))
    limit = 1.0 - DEFAULT_SCENE_THRESHOLD
    return CutStatistics(
        frames=len(within),
        cuts=len(at_cuts),
        false_cuts=sum(cosine < limit for cosine in within),
        missed_cuts=sum(cosine >= limit for cosine in at_cuts),
        mean_cosine=float(np.mean(within)),
        least_cosine=min(within),
        mean_cut_cosine=float(np.mean(at_cuts)),
        greatest_cut_cosine=max(at_cuts),
    )


def _scene_frames(seed: int, pair: int, count: int) -> NDArray[np.uint8]:
    scene = draw_scene(seed, *PAIRS[pair])
    return np.stack([squash(scene.frame(i * SAMPLING_SECONDS, SOURCE_PX)) for i in range(count)])


def _different_places(seed: int, count: int) -> list[int]:
    """Return random indices into PAIRS, no two neighbours in the same place."""
    dice = Dice(seed, EVALUATION_STREAM + 1)
    order: list[int] = []
    for _ in range(count):
        others = [i for i in range(len(PAIRS)) if not order or PAIRS[i][0] != PAIRS[order[-1]][0]]
        order.append(dice.pick(others))
    return order
