# SPDX-License-Identifier: Apache-2.0
"""All lines of a region from sample to sample: where they begin, go on and end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.lines import (
    ClosedLine,
    OpenLine,
    after_sample,
    begin_line,
    close_line,
    has_more_strokes,
)
from trireel_backend.captions.reference import Box
from trireel_backend.captions.stretch import Stretch

COVERED = 0.7
"""Share of a box that must lie in a known line for the box to be the same line."""
GROWTH = 1.15
"""Factor by which a box must be wider than the known line to be another text."""
HIGHEST_LINE = 0.25
"""Height of the highest line, as a share of the picture's height."""
MOST_LINES = 32
"""Lines on screen that are followed at once; a page full of text is no caption."""


@dataclass(frozen=True)
class FoundText:
    """Boxes of text in one sample."""

    boxes: NDArray[np.int32]
    """[n, 4] x1 y1 x2 y2 in pixels of the region."""
    scores: NDArray[np.float32]
    """[n] scores of the text detector, 0 to 1."""


def found_text(
    boxes: NDArray[np.int32], scores: NDArray[np.float32], picture_height_px: int
) -> FoundText:
    """Return boxes [n, 4] and scores [n] of a sample, without those too high for a line.

    A pattern that fills the picture looks like text, and would hide the lines before it.
    """
    is_line = boxes[:, 3] - boxes[:, 1] <= HIGHEST_LINE * picture_height_px
    return FoundText(boxes[is_line], scores[is_line])


Found = Mapping[int, FoundText]
"""Boxes of text by the place of the sample in `Stretch.samples`."""


@dataclass(frozen=True)
class Tracked:
    """Lines after some samples."""

    open: tuple[OpenLine, ...] = ()
    """Lines that are on screen."""
    closed: tuple[ClosedLine, ...] = field(default=())
    """Lines that have ended since the last stretch, in order of their ends."""


def track(before: Tracked, frames: Stretch, begin: int, found: Found) -> Tracked:
    """Follow lines through the samples of a stretch, from a place in `frames.samples` on.

    Args:
        before: lines at the sample before.
        frames: the new frames, and earlier ones in which first frames are looked for.
        found: boxes of text in some of the new samples.
    """
    closed: list[ClosedLine] = []
    lines: Sequence[OpenLine] = before.open
    recent = [line for line in before.closed if line.end.seconds >= frames.moments[0].seconds]
    for sample in range(begin, len(frames.samples)):
        going = []
        for line in lines:
            continued, ended = after_sample(line, frames, sample)
            going += [continued] if continued is not None else []
            closed += [ended] if ended is not None else []
        lines = going
        if sample in found:
            lines, ended_lines = _with_found(
                lines, [*recent, *closed], frames, sample, found[sample]
            )
            closed += ended_lines
    return Tracked(tuple(lines), tuple(sorted(closed, key=lambda line: line.end.seconds)))


def _with_found(
    lines: Sequence[OpenLine],
    closed_before: Sequence[ClosedLine],
    frames: Stretch,
    sample: int,
    found: FoundText,
) -> tuple[list[OpenLine], list[ClosedLine]]:
    """Return the lines with those found in a sample, and those that others have replaced."""
    lines, closed = list(lines), []
    for box, score in zip(found.boxes, found.scores.tolist(), strict=True):
        known = [line for line in lines if _is_part(line.reference.box, box)]
        if len(lines) - len(known) >= MOST_LINES:
            continue
        has_changed = False
        if _is_known(known, box):
            if len(known) > 1 or not has_more_strokes(known[0], frames, sample):
                continue
            box = known[0].reference.box
            has_changed = True
        until = math.inf if has_changed else _other_until(closed_before, box)
        new = begin_line(frames, sample, box, score, until)
        for line in known:
            # The new box holds all of the old line, which ends if the text has grown since.
            if new.first.seconds > line.first.seconds:
                end = _index_of(frames, new.first.seconds)
                closed.append(close_line(line, frames, end))
        lines = [line for line in lines if all(line is not other for other in known)]
        lines.append(new)
    return lines, closed


def _other_until(lines: Sequence[ClosedLine], box: Box) -> float:
    """Return when the last other text in a box ended."""
    ends = [line.end.seconds for line in lines if _is_part(line.reference.box, box)]
    return max(ends, default=-math.inf)


def _is_part(box: Box, other: Box) -> bool:
    """Return whether two boxes are of one line: the smaller one lies mostly in the other."""
    shared = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    areas = [float(np.prod(one[2:] - one[:2])) for one in (box, other)]
    return bool(shared.min() > 0 and shared.prod() >= COVERED * min(areas))


def _is_known(known: Sequence[OpenLine], box: Box) -> bool:
    """Return whether lines already hold the text of a box."""
    if not known:
        return False
    boxes = np.stack([line.reference.box for line in known])
    width = boxes[:, 2].max() - boxes[:, 0].min()
    return bool(box[2] - box[0] <= GROWTH * width + 2)


def _index_of(frames: Stretch, seconds: float) -> int:
    return next(i for i, moment in enumerate(frames.moments) if moment.seconds >= seconds)
