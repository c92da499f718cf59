# SPDX-License-Identifier: Apache-2.0
"""The measures of a trained model, on embeddings with known answers."""

import numpy as np
import pytest

from trireel_drawings.scenes.scene import HELD_OUT_SEED
from trireel_drawings.training.evaluate import accuracy, cut_statistics, running_scores
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA as ALPHA


def test_running_scores_follow_the_average() -> None:
    frames = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    mixed = np.array([1 - ALPHA, ALPHA]) / np.hypot(1 - ALPHA, ALPHA)
    assert running_scores(frames, ()) == pytest.approx([1, 0, mixed[1]])
    assert running_scores(frames, (1,)) == pytest.approx([1, 0, 1])


def test_accuracy_counts_and_probabilities() -> None:
    images = np.eye(2, dtype=np.float32)
    result = accuracy(images, images, np.array([0, 0]), scale=10, bias=-5)
    assert result.top1 == result.true_above_half == result.others_below_half == 0.5
    assert result.true_probability == pytest.approx(0.5)


def test_cut_statistics_of_a_perfect_embedding() -> None:
    """An embedding that turns by a right angle at every scene sees every cut and no other."""
    calls: list[int] = []

    def embed(frames: np.ndarray) -> np.ndarray:
        calls.append(len(frames))
        return np.tile(np.eye(4, dtype=np.float32)[len(calls) % 4], (len(frames), 1))

    result = cut_statistics(embed, first_seed=HELD_OUT_SEED, scenes=4, frames_per_scene=3)
    assert (result.frames, result.cuts, result.false_cuts, result.missed_cuts) == (8, 3, 0, 0)
