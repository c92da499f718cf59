# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on embeddings, compared with plain float64."""

import numpy as np

from trireel_schema.vectors import Calibration, paired_cosines, unit


def test_a_probability_does_not_overflow():
    extreme = Calibration(scale=1e4, bias=-5e3).probabilities(np.array([-1, 1], np.float32))
    np.testing.assert_allclose(extreme, [0, 1])


def test_probabilities_are_the_sigmoid_of_the_logits():
    cosines = np.linspace(-1, 1, 21, dtype=np.float32)
    expected = 1 / (1 + np.exp(-(10 * cosines.astype(np.float64) - 2)))
    np.testing.assert_allclose(Calibration(10, -2).probabilities(cosines), expected, atol=1e-7)


def test_vectors_get_unit_length_and_zero_stays_zero():
    rows = np.array([[3, 4], [0, 0], [-2, 0]], np.float32)
    np.testing.assert_allclose(unit(rows), [[0.6, 0.8], [0, 0], [-1, 0]], atol=1e-7)


def test_cosines_are_those_of_the_same_rows():
    rows = unit(np.random.default_rng(0).normal(size=(5, 16)).astype(np.float32))
    np.testing.assert_allclose(paired_cosines(rows, rows), np.ones(5), atol=1e-6)
    np.testing.assert_allclose(
        paired_cosines(rows, rows[::-1]), np.diag(rows @ rows[::-1].T), atol=1e-6
    )
