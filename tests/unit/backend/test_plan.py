# SPDX-License-Identifier: Apache-2.0
"""The plan of a video: its chunks, and the slots in which frames are sampled."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trireel_backend.errors import InvalidInput
from trireel_backend.plan import MIN_TAIL_SECONDS, NO_STILLS, Chunk, Sampling, plan_chunks


@pytest.mark.parametrize(
    ("start", "duration", "chunk", "expected"),
    [
        (0.0, 25.0, 10.0, [(0.0, 10.0), (10.0, 10.0), (20.0, 5.0)]),
        (0.0, 20.0, 10.0, [(0.0, 10.0), (10.0, 10.0)]),
        (0.0, 20.4, 10.0, [(0.0, 10.0), (10.0, 10.0)]),
        (0.0, 20.5, 10.0, [(0.0, 10.0), (10.0, 10.0), (20.0, 0.5)]),
        (1.4, 12.0, 10.0, [(1.4, 10.0), (11.4, 2.0)]),
        (0.0, 0.2, 10.0, [(0.0, 0.2)]),
        (0.0, 0.3, 0.1, [(0.0, 0.1), (0.1, 0.1), (0.2, 0.1)]),
    ],
    ids=["tail", "exact", "dropped tail", "least tail", "late start", "short", "float rounding"],
)
def test_plan_is_as_stated(start, duration, chunk, expected):
    planned = [(c.start_seconds, c.duration_seconds) for c in plan_chunks(start, duration, chunk)]
    np.testing.assert_allclose(planned, expected, atol=1e-9)


@given(
    start=st.floats(-10, 1000),
    duration=st.floats(0.04, 3000),
    chunk_seconds=st.floats(0.5, 100),
)
def test_a_plan_covers_the_video_but_for_a_short_tail(start, duration, chunk_seconds):
    chunks = plan_chunks(start, duration, chunk_seconds)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    for before, after in pairwise(chunks):
        assert before.duration_seconds == chunk_seconds
        assert after.start_seconds == pytest.approx(before.start_seconds + chunk_seconds)
    left_out = start + duration - (chunks[-1].start_seconds + chunks[-1].duration_seconds)
    assert -1e-6 < left_out < MIN_TAIL_SECONDS + 1e-6


def test_slots_are_sampled_in_their_middle():
    middles = Sampling(4).slot_middles(Chunk(2, 20.0, 10.0))
    np.testing.assert_allclose(middles, [21.25, 23.75, 26.25, 28.75])


@pytest.mark.parametrize(
    ("fps", "duration", "expected"),
    [
        (2.0, 2.0, [0.25, 0.75, 1.25, 1.75]),
        (0.5, 10.0, [1.0, 3.0, 5.0, 7.0, 9.0]),
        (1.0, 2.6, [0.5, 1.5, 2.5]),
        (1.0, 2.4, [0.5, 1.5]),
        (1.0, 0.4, [0.2]),
        (0.01, 10.0, [5.0]),
        (10.0, 0.3, [0.05, 0.15, 0.25]),
    ],
    ids=["even", "slow", "middle inside", "middle outside", "short", "one at least", "rounding"],
)
def test_a_rate_has_a_slot_for_each_period_whose_middle_is_inside(fps, duration, expected):
    sampling = Sampling(fps=fps)
    np.testing.assert_allclose(sampling.slot_middles(Chunk(0, 0.0, duration)), expected)
    assert sampling.count(duration) == len(expected)


@given(fps=st.floats(0.01, 100), duration=st.floats(0.04, 100))
def test_every_slot_of_a_rate_is_inside_its_chunk(fps, duration):
    middles = Sampling(fps=fps).slot_middles(Chunk(0, 5.0, duration))
    assert len(middles) == pytest.approx(fps * duration, abs=1)
    assert 5.0 < middles[0] <= middles[-1] <= 5.0 + duration + 1e-6


def test_a_plan_of_too_many_chunks_is_refused_before_it_is_made():
    with pytest.raises(InvalidInput, match=r"more than 10000 chunks: set CHUNK_SECONDS to 1e\+05"):
        plan_chunks(0.0, 1e9, 10.0)
    assert len(plan_chunks(0.0, 7200.0, 0.8)) == 9000


def test_the_last_chunk_is_no_still_by_rounding():
    """49.3 + 1.7 is 51.0, and 51.0 - 49.3 is a little more than 1.7."""
    chunk = NO_STILLS.chunk(29, 49.3, 1.7, 51.0)
    assert (chunk.duration_seconds, chunk.sampled_seconds) == (1.7, None)
