# SPDX-License-Identifier: Apache-2.0
"""The best assignment against trying all of them."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trireel_backend.tracking.assignment import best_pairs

SIMILARITIES = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(0, 20).map(lambda v: v / 20))
)


def best_sum(similarities, least):
    """Return the largest sum of similarities of any assignment."""
    allowed = np.where(similarities >= least, similarities, 0.0)
    if allowed.shape[0] > allowed.shape[1]:
        allowed = allowed.T
    rows = range(allowed.shape[0])
    orders = permutations(range(allowed.shape[1]), len(rows))
    return max(sum(allowed[row, order[row]] for row in rows) for order in orders)


@given(SIMILARITIES, st.sampled_from([0.05, 0.3, 0.6]))
def test_no_assignment_has_a_larger_sum(similarities, least):
    pairs = best_pairs(similarities, least)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(similarities[pair] >= least for pair in pairs)
    assert np.isclose(sum(similarities[pair] for pair in pairs), best_sum(similarities, least))


def test_a_row_gives_way_if_that_is_better_for_all():
    assert best_pairs(np.array([[0.9, 0.8], [0.85, 0.0]]), 0.1) == [(0, 1), (1, 0)]


def test_a_large_assignment_finds_the_hidden_order():
    rng = np.random.default_rng(1)
    order = rng.permutation(120)
    similarities = rng.uniform(0.0, 0.5, (120, 120))
    similarities[np.arange(120), order] = 0.9
    assert best_pairs(similarities, 0.01) == list(enumerate(order.tolist()))
