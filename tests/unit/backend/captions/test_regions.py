# SPDX-License-Identifier: Apache-2.0
"""The band of a picture in which text keeps returning."""

import numpy as np

from trireel_backend.captions.regions import caption_region

SIZE_PX = (640, 360)
LOGO = (560, 20, 620, 40)


def boxes(*pictures):
    return [np.array(picture, np.int32).reshape(-1, 4) for picture in pictures]


def caption(width, top=310):
    return (320 - width, top, 320 + width, top + 24)


def test_the_band_of_captions_is_found():
    found = caption_region(boxes([caption(100)], [], [caption(140)], [caption(90)]), SIZE_PX)
    assert found == (0, 299, 640, 345)


def test_a_logo_is_no_caption():
    pictures = [[LOGO, caption(60 + 20 * at)] if at % 2 else [LOGO] for at in range(8)]
    assert caption_region(boxes(*pictures), SIZE_PX) == (0, 299, 640, 345)


def test_two_rows_are_one_band():
    found = caption_region(boxes([caption(80), caption(100, 280)], [caption(60)]), SIZE_PX)
    assert found is not None
    assert found[1] <= 280 - 5 or found[3] >= 334


def test_text_that_appears_once_makes_no_region():
    assert caption_region(boxes([caption(100)], [], [(10, 10, 60, 30)], []), SIZE_PX) is None


def test_without_text_there_is_no_region():
    assert caption_region(boxes([], []), SIZE_PX) is None
