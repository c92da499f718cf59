# SPDX-License-Identifier: Apache-2.0
"""Codes of a recognizer as text: connectionist temporal classification, read greedily."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import MissingPart

BLANK = 0
"""Code of "no new character": it separates two equal characters."""
CHARACTERS_FILE = "characters.json"
"""Name of the file beside the model that gives each code its character."""


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


def load_characters(folder: Path) -> list[str]:
    """Read the characters of a model's folder; raises MissingPart if they cannot be read."""
    path = folder / CHARACTERS_FILE
    try:
        characters = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingPart(f"{path} cannot be read ({error}): run scripts/setup") from error
    if not (isinstance(characters, list) and all(isinstance(one, str) for one in characters)):
        raise MissingPart(f"{path} is not a list of characters: run scripts/setup again")
    return characters
