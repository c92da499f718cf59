# SPDX-License-Identifier: Apache-2.0
"""Which samples are looked at for text: new strokes that stay, not a background that moves."""

import numpy as np
from support.captions import lettered, moving_background, still_background

from trireel_backend.captions.pair_change import ChangeState, after_sample
from trireel_backend.captions.strokes import luma

SAMPLE_FPS = 10


def looks(pictures) -> list[int]:
    """Return the samples that are looked at."""
    state, looked = ChangeState(), []
    for index, picture in enumerate(pictures):
        state, is_looked_at = after_sample(state, luma(picture), index / SAMPLE_FPS)
        looked += [index] if is_looked_at else []
    return looked


def test_a_still_picture_is_looked_at_once_a_second():
    first, second, *rest = looks([still_background(0)] * 26)
    assert (first, second <= 4) == (0, True)
    assert [rest[0] - second in (10, 11), len(rest) <= 2] == [True, True]


def test_a_caption_is_looked_at_soon_after_it_appears():
    pictures = [still_background(0)] * 5 + [lettered(still_background(0), "Hello")] * 4
    assert any(5 < index <= 8 for index in looks(pictures))


def test_one_new_letter_is_looked_at():
    pictures = [lettered(still_background(0), "Come home") for _ in range(5)]
    pictures += [lettered(still_background(0), "Care home") for _ in range(4)]
    assert any(5 < index <= 8 for index in looks(pictures))


def test_a_moving_background_is_looked_at_three_times_a_second():
    seen = looks([moving_background(3 * index) for index in range(30)])
    assert len(seen) <= 10
    assert np.diff(seen).min() >= 3 or seen[:2] == [0, 1]
