# SPDX-License-Identifier: Apache-2.0
"""Codes of a recognizer as text: connectionist temporal classification, read greedily."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLANK = 0
"""Code of "no new character": it separates two equal characters."""


class ReadLine(NamedTuple):
    """The text of a line."""

    text: str
    """Characters in the order of the picture, spaces at both ends removed; "" if there are none."""
    confidence: float
    """Mean probability of the characters, 0 to 1; 0 if there are none."""


def read_codes(
    codes: NDArray[np.int32], scores: NDArray[np.float32], characters: Sequence[str]
) -> list[ReadLine]:
    """Return the texts of lines: repeated codes count once, and blanks are dropped.

    Args:
        codes: [n, T] the most probable code at each place, as `text_recognizer` returns it.
        scores: [n, T] the probability of that code.
        characters: the character of each code; that of BLANK is not used.
    """
    is_new = np.ones(codes.shape, bool)
    is_new[:, 1:] = codes[:, 1:] != codes[:, :-1]
    is_new &= codes != BLANK
    lines = []
    for row, row_scores, kept in zip(codes, scores, is_new, strict=True):
        text = "".join(characters[code] for code in row[kept]).strip()
        lines.append(ReadLine(text, float(row_scores[kept].mean()) if text else 0.0))
    return lines
