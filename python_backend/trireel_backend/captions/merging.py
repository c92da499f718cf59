# SPDX-License-Identifier: Apache-2.0
"""Lines that were read: whether two are of the same text, and one caption made of several."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.reference import Box
from trireel_backend.captions.stretch import Moment

MERGE_SECONDS = 0.3
"""Longest gap between two lines of the same text that are one."""
LEAST_CONFIDENCE = 0.6
"""Smallest confidence of a text that counts as read."""
SURE_CONFIDENCE = 0.9
"""Confidence from which on a text that differs by a letter is another text."""
MOST_ERRORS = 0.25
"""Share of letters by which two readings of one text may differ if one of them is not sure."""
FADE_SAMPLES = 3
FADE_SHARPNESS = 0.5
"""Sharpness of a line of few samples, against the line it is a part of, that is one of its fade."""
SHARED_BOX = 0.6
"""Share of the smaller box that two lines at one place share."""


@dataclass(frozen=True)
class ReadText:
    """A line with its text."""

    text: str
    """Text as it was read."""
    confidence: float
    """Mean probability of its characters, 0 to 1."""
    box: NDArray[np.int32]
    """[4] x1 y1 x2 y2 in pixels of the region."""
    first: Moment
    """First frame that shows it."""
    last: Moment
    """Last frame that shows it."""
    end: Moment
    """First frame that does not show it, or the end of the video."""
    samples: int = 1
    """Number of samples that show it."""
    sharpness: float = 0.0
    """Sharpness of the picture that was read."""

    @property
    def seconds(self) -> float:
        """Time on screen in seconds."""
        return self.end.seconds - self.first.seconds


def is_one_place(box: Box, other: Box) -> bool:
    """Return whether two lines stand at the same place."""
    shared = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    areas = [float(np.prod(one[2:] - one[:2])) for one in (box, other)]
    return bool(shared.min() > 0 and shared.prod() >= SHARED_BOX * min(areas))


def is_same_text(one: ReadText, other: ReadText) -> bool:
    """Return whether two lines read as the same text, or one is a bad reading of the other."""
    first, second = ("".join(line.text.split()) for line in (one, other))
    if first == second:
        return True
    is_sure = min(one.confidence, other.confidence) >= SURE_CONFIDENCE
    if is_sure and not has_faded(*sorted((one, other), key=lambda line: line.sharpness)):
        return False
    return edit_distance(first, second) <= MOST_ERRORS * max(len(first), len(second))


def edit_distance(first: str, second: str) -> int:
    """Return how many letters must be put in, left out or replaced to make one text the other."""
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (letter != other)),
            )
    return row[-1]


def has_faded(weak: ReadText, strong: ReadText) -> bool:
    """Return whether a line may be another one while that fades in or out."""
    return weak.samples <= FADE_SAMPLES and weak.sharpness < FADE_SHARPNESS * strong.sharpness


def continues(before: ReadText, after: ReadText) -> bool:
    """Return whether a line is the rest of one that began before it."""
    gap_seconds = after.first.seconds - before.end.seconds
    return (
        gap_seconds <= MERGE_SECONDS
        and is_one_place(before.box, after.box)
        and is_same_text(before, after)
    )


def merged(before: ReadText, after: ReadText) -> ReadText:
    """Return two parts of one line as one: the text is that which was read best."""
    weak, strong = sorted((before, after), key=lambda line: line.sharpness)
    if has_faded(weak, strong):
        return strong  # a weak picture agrees with more of the fade
    weights = [line.confidence * min(line.samples, 5) for line in (before, after)]
    best = before if weights[0] >= weights[1] else after
    latest = before if before.end.seconds >= after.end.seconds else after
    earliest = before if before.first.seconds <= after.first.seconds else after
    return replace(
        best,
        first=earliest.first,
        last=latest.last,
        end=latest.end,
        samples=before.samples + after.samples,
    )
