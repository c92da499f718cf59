# SPDX-License-Identifier: Apache-2.0
"""Scores of captions: extents and texts against the truth, and captions that are none.

A true caption that fades has no one first frame: every frame of the fade is right, up to the first
at full opacity. The same holds for the last frame. Without a fade that is a single frame.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.common.counts import SLACK_SECONDS, Counts

SAME_TEXT = 0.5
"""Similarity of two texts, from which a found caption stands for a true one."""
LOGO, CLOCK, OTHER = "logo", "clock", "other"


@dataclass(frozen=True)
class TrueCaption:
    """A caption that was burnt in."""

    text: str
    first_seconds: tuple[float, float]
    """PTS of the first frame with it, and of the first at full opacity."""
    last_seconds: tuple[float, float]
    """PTS of the last frame at full opacity, and of the last with it."""


@dataclass(frozen=True)
class FoundCaption:
    """A caption that a reader reports."""

    text: str
    first_seconds: float
    """PTS of the first frame with it."""
    last_seconds: float
    """PTS of the last frame with it."""


@dataclass(frozen=True)
class Truth:
    """The truth about a video."""

    captions: tuple[TrueCaption, ...]
    """Captions in order."""
    others: tuple[tuple[str, str], ...] = ()
    """Kind and text of what is written in the picture and is no caption."""


@dataclass(frozen=True)
class Score:
    """Numbers of one or more videos, which can be added."""

    extents: Counts = field(default_factory=Counts)
    """Captions whose both ends are right within the tolerance."""
    exact: Counts = field(default_factory=Counts)
    """Captions whose both ends are right to the frame."""
    exact_ends: int = 0
    """First and last frames that are right, of two for each true caption."""
    characters: int = 0
    """Characters of the true captions."""
    characters_found: int = 0
    """Characters of those true captions that were found."""
    wrong: int = 0
    """Characters that differ in the captions that were found."""
    false: dict[str, int] = field(default_factory=dict)
    """Captions that are none, by kind."""

    def __add__(self, other: "Score") -> "Score":
        """Return the sum."""
        kinds = sorted({*self.false, *other.false})
        return Score(
            self.extents + other.extents,
            self.exact + other.exact,
            self.exact_ends + other.exact_ends,
            self.characters + other.characters,
            self.characters_found + other.characters_found,
            self.wrong + other.wrong,
            {kind: self.false.get(kind, 0) + other.false.get(kind, 0) for kind in kinds},
        )

    @property
    def error_rate(self) -> float:
        """Wrong characters for each character of the captions that were found."""
        return self.wrong / max(1, self.characters_found)

    @property
    def error_rate_with_missing(self) -> float:
        """The same over all captions; each character of a missing one is wrong."""
        missing = self.characters - self.characters_found
        return (self.wrong + missing) / max(1, self.characters)

    @property
    def exact_rate(self) -> float:
        """Part of the first and last frames that are right."""
        return self.exact_ends / max(1, 2 * (self.exact.hits + self.exact.missed))


def read_truth(report: dict[str, Any]) -> Truth:
    """Return the truth of a video's JSON."""
    captions = (
        TrueCaption(
            caption["text"],
            (caption["first_seconds"], caption["first_full_seconds"]),
            (caption["last_full_seconds"], caption["last_seconds"]),
        )
        for caption in report["captions"]
    )
    others = ((other["kind"], other["text"]) for other in report["not_captions"])
    return Truth(tuple(captions), tuple(others))


def score(truth: Truth, found: Sequence[FoundCaption], tolerance_seconds: float) -> Score:
    """Return the score of one video.

    Args:
        tolerance_seconds: distance from the truth at which an end is still right, such as the
            time between two sampled frames.
    """
    pairs = paired(truth.captions, found)
    near = [pair for pair in pairs if max(end_errors(*pair)) <= tolerance_seconds + SLACK_SECONDS]
    right = [error <= SLACK_SECONDS for pair in pairs for error in end_errors(*pair)]
    both = sum(first and last for first, last in zip(right[::2], right[1::2], strict=True))
    matched = {id(caption) for _, caption in pairs}
    false = [other_kind(truth, caption) for caption in found if id(caption) not in matched]
    return Score(
        _counts(truth, found, len(near)),
        _counts(truth, found, both),
        sum(right),
        sum(len(normal(caption.text)) for caption in truth.captions),
        sum(len(normal(true.text)) for true, _ in pairs),
        sum(edit_distance(normal(true.text), normal(seen.text)) for true, seen in pairs),
        {kind: false.count(kind) for kind in sorted(set(false))},
    )


def paired(
    truths: Sequence[TrueCaption], found: Sequence[FoundCaption]
) -> list[tuple[TrueCaption, FoundCaption]]:
    """Return pairs of captions that share time and text, one to one; the longest overlap first."""
    candidates = [
        (overlap_seconds(true, seen), -index, true, seen)
        for index, true in enumerate(truths)
        for seen in found
        if overlap_seconds(true, seen) > -SLACK_SECONDS
        and similarity(true.text, seen.text) >= SAME_TEXT
    ]
    pairs: dict[int, tuple[TrueCaption, FoundCaption]] = {}
    used: set[int] = set()
    for _, index, true, seen in sorted(candidates, key=lambda pair: pair[:2], reverse=True):
        if index not in pairs and id(seen) not in used:
            pairs[index] = (true, seen)
            used.add(id(seen))
    return [pairs[index] for index in sorted(pairs, reverse=True)]


def end_errors(true: TrueCaption, seen: FoundCaption) -> tuple[float, float]:
    """Return the distances in seconds of the first and the last frame from what is right."""
    return (
        _distance(seen.first_seconds, *true.first_seconds),
        _distance(seen.last_seconds, *true.last_seconds),
    )


def overlap_seconds(true: TrueCaption, seen: FoundCaption) -> float:
    """Return the time from the first to the last frame that both have; below 0 for a gap."""
    begin = max(true.first_seconds[0], seen.first_seconds)
    return min(true.last_seconds[1], seen.last_seconds) - begin


def other_kind(truth: Truth, seen: FoundCaption) -> str:
    """Return what a false caption is: the logo, the clock, or something else."""
    for kind, text in truth.others:
        if similarity(text, seen.text) >= SAME_TEXT:
            return kind
    digits = sum(letter.isdigit() for letter in seen.text)
    has_clock = any(kind == CLOCK for kind, _ in truth.others)
    return CLOCK if has_clock and digits >= 4 and digits >= len(seen.text) / 2 else OTHER


def similarity(first: str, second: str) -> float:
    """Return 1 for equal texts, down to 0 for texts without anything in common."""
    first, second = normal(first), normal(second)
    return 1 - edit_distance(first, second) / max(1, len(first), len(second))


def normal(text: str) -> str:
    """Return a text in composed letters; line ends and rows of spaces become one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def edit_distance(first: str, second: str) -> int:
    """Return the least number of letters to insert, remove or replace."""
    codes = np.array([ord(letter) for letter in second], np.int64)
    steps = np.arange(len(second) + 1)
    row = steps
    for count, letter in enumerate(first, 1):
        replaced = row[:-1] + (codes != ord(letter))
        best = np.concatenate(([count], np.minimum(replaced, row[1:] + 1)))
        row = np.minimum.accumulate(best - steps) + steps  # letters inserted in a row
    return int(row[-1])


def total(scores: Iterable[Score]) -> Score:
    """Return the sum of scores."""
    return sum(scores, Score())


def _counts(truth: Truth, found: Sequence[FoundCaption], hits: int) -> Counts:
    return Counts(hits, len(truth.captions) - hits, len(found) - hits)


def _distance(seconds: float, first: float, last: float) -> float:
    return max(first - seconds, seconds - last, 0.0)
