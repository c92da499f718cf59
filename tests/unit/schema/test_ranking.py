# SPDX-License-Identifier: Apache-2.0
"""Ranking by cosine: the best texts first, with the probabilities of the checkpoint."""

import numpy as np
import pytest

from trireel_schema import ranking
from trireel_schema.ranking import pool
from trireel_schema.texts import TextSet
from trireel_schema.vectors import Calibration, unit

CALIBRATION = Calibration(scale=10.0, bias=-2.0)


def text_set(rows):
    return TextSet(tuple(f"text {i}" for i in range(len(rows))), np.array(rows, np.float32))


def rank(texts, embedding, k, calibration):
    (best,) = ranking.rank(texts, embedding[None], k, calibration)
    return best


def test_rank_is_best_first_with_the_checkpoints_probability():
    ranking = rank(
        text_set([[0, 1], [1, 0], [0.6, 0.8]]), np.array([1, 0], np.float32), 2, CALIBRATION
    )
    assert ranking.texts == ("text 1", "text 2")
    np.testing.assert_allclose(ranking.scores, [1.0, 0.6], atol=1e-6)
    expected = 1 / (1 + np.exp(-(10 * np.array([1.0, 0.6]) - 2)))
    np.testing.assert_allclose(ranking.probabilities, expected, atol=1e-6)


def test_rank_returns_all_where_more_are_asked_for():
    assert rank(text_set([[0, 1], [1, 0]]), np.array([1, 0], np.float32), 9, CALIBRATION).texts == (
        "text 1",
        "text 0",
    )


@pytest.mark.parametrize("k", [1, 3, 4])
def test_equal_scores_keep_the_order_of_the_texts(k):
    ranking = rank(
        text_set([[1, 0], [0, 1], [1, 0], [1, 0]]), np.array([1, 0], np.float32), k, CALIBRATION
    )
    assert ranking.texts == ("text 0", "text 2", "text 3", "text 1")[:k]


def test_the_best_of_many_are_those_a_full_sort_finds():
    rng = np.random.default_rng(0)
    texts = text_set(unit(rng.normal(size=(5000, 32)).astype(np.float32)))
    query = unit(rng.normal(size=32).astype(np.float32))
    expected = np.argsort(-(texts.embeddings @ query))[:7]
    assert rank(texts, query, 7, CALIBRATION).texts == tuple(f"text {i}" for i in expected)


def test_several_embeddings_are_ranked_each_on_its_own():
    texts = text_set([[0, 1], [1, 0]])
    both = ranking.rank(texts, np.array([[1, 0], [0, 1]], np.float32), 1, CALIBRATION)
    assert [ranking.texts for ranking in both] == [("text 1",), ("text 0",)]


def test_pool_is_the_direction_of_the_mean():
    pooled = pool(np.array([[1, 0], [0, 1]], np.float32))
    np.testing.assert_allclose(pooled, [2**-0.5, 2**-0.5], atol=1e-6)


def test_opposite_frames_have_no_direction_but_no_nan_either():
    assert np.isfinite(pool(np.array([[1, 0], [-1, 0]], np.float32))).all()
