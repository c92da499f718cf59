# SPDX-License-Identifier: Apache-2.0
"""The cost of one whole video: its frames before the first is decoded, its answer as it grows."""

import numpy as np
import pytest

from trireel_backend.errors import StartupError, TooMuchWork
from trireel_backend.whole_video.budget import AnswerBudget, CostLimits
from trireel_backend.wire.tensors import texts


def test_a_day_of_usual_chunks_fits() -> None:
    CostLimits().check_frames(8640, 16)


def test_many_short_chunks_of_many_frames_are_rejected() -> None:
    wanted = r"10000 chunks of 128 frames are 1,280,000 frames: at most 200,000"
    with pytest.raises(TooMuchWork, match=wanted):
        CostLimits().check_frames(10_000, 128)


def test_an_answer_at_its_limit_is_accepted() -> None:
    budget = AnswerBudget(CostLimits(max_answer_bytes=2 * 400), num_chunks=2)
    for _ in range(2):
        budget.add({"TIMESTAMPS": np.zeros(50), "TAG_SCORES": np.zeros(10_000)})


def test_an_answer_is_rejected_with_its_first_large_chunk() -> None:
    budget = AnswerBudget(CostLimits(max_answer_bytes=3 * 2**20), num_chunks=1000)
    tags = texts(["x" * 96] * 100)
    with pytest.raises(TooMuchWork, match="1000 chunks would have about 10 MiB, and 3 MiB"):
        budget.add({"CHUNK_TAG_TEXTS": tags})


def test_one_large_chunk_after_small_ones_is_no_trouble() -> None:
    budget = AnswerBudget(CostLimits(max_answer_bytes=10_000), num_chunks=10)
    for size in [*[10] * 8, 1000]:
        budget.add({"TIMESTAMPS": np.zeros(size)})


def test_a_limit_of_nothing_is_a_mistake() -> None:
    with pytest.raises(StartupError, match="max_answer_bytes=0"):
        CostLimits(max_answer_bytes=0)
