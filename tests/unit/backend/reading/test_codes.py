# SPDX-License-Identifier: Apache-2.0
"""Codes of a recognizer as text: repeats, blanks, and how sure a line is."""

import numpy as np
import pytest

from trireel_backend.reading.codes import ReadLine, read_codes

CHARACTERS = ["", "a", "b", "é", " "]


def read(*rows, scores=None):
    codes = np.array(rows, np.int32)
    return read_codes(
        codes, np.ones(codes.shape, np.float32) if scores is None else scores, CHARACTERS
    )


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([1, 1, 2, 2, 2, 0], "ab"),
        ([1, 0, 1, 0, 0, 2], "aab"),
        ([0, 3, 3, 4, 2, 0], "é b"),
        ([4, 1, 4, 4, 0, 4], "a"),
        ([0, 0, 0, 0, 0, 0], ""),
        ([4, 4, 0, 0, 4, 4], ""),
    ],
)
def test_repeats_count_once_and_blanks_not_at_all(codes, text):
    assert read(codes)[0].text == text


def test_a_line_is_as_sure_as_its_characters_are():
    """The second score of a repeat and those of blanks do not count."""
    scores = np.array([[0.9, 0.1, 0.5, 0.0, 0.7, 0.2]], np.float32)
    (line,) = read([1, 1, 2, 0, 3, 0], scores=scores)
    assert line.text == "abé"
    assert line.confidence == pytest.approx((0.9 + 0.5 + 0.7) / 3)


def test_an_empty_line_is_not_sure():
    assert read([0, 0, 0, 0]) == [ReadLine("", 0.0)]


def test_lines_stay_in_order():
    assert [line.text for line in read([1, 0, 0], [2, 0, 3], [0, 0, 0])] == ["a", "bé", ""]
    assert read_codes(np.empty((0, 4), np.int32), np.empty((0, 4), np.float32), CHARACTERS) == []
