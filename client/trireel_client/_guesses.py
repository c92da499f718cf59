# SPDX-License-Identifier: Apache-2.0
"""Tags and captions of low probability, which are printed as guesses."""

from collections.abc import Iterator

from trireel_client._findings import Caption, Shot, Tag
from trireel_client._results import Analysis, ChunkAnalysis

LEAST_PROBABILITY = 0.1
"""Probability below which a text is a guess."""
MARK = "?"
GUESSES = f"{MARK} a guess: its probability is below {LEAST_PROBABILITY:.0%}"


def worded(text: Tag | Caption) -> str:
    """Return a text as it is printed: with a mark if it is a guess."""
    return f"{text.text}{MARK}" if _is_guess(text) else text.text


def has_guesses(analysis: Analysis) -> bool:
    """Return whether a text of the analysis is a guess."""
    return any(map(_is_guess, _texts(analysis)))


def _is_guess(text: Tag | Caption) -> bool:
    return text.probability < LEAST_PROBABILITY


def _texts(analysis: Analysis) -> Iterator[Tag | Caption]:
    parts: list[Analysis | ChunkAnalysis | Shot] = [analysis, *analysis.shots, *analysis.chunks]
    for part in parts:
        yield from part.tags
        if part.caption is not None:
            yield part.caption
