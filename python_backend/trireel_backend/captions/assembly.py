# SPDX-License-Identifier: Apache-2.0
"""From lines that were read to captions, as soon as nothing later can change them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.furniture import (
    CLOCK_SECONDS,
    LOGO_SECONDS,
    LONG_SECONDS,
    is_clock,
    is_clocklike,
    is_logo,
)
from trireel_backend.captions.lines import OpenLine
from trireel_backend.captions.merging import (
    LEAST_CONFIDENCE,
    MERGE_SECONDS,
    ReadText,
    continues,
    is_one_place,
    merged,
)

ROW_GAP = 1.0
"""Widest space between two rows of one caption, as a factor of the lower row's height."""
LEAST_SAMPLES = 2
LEAST_SECONDS = 0.3
"""Fewest samples and shortest time of a caption; less may be a misread background."""
LEAST_LETTER_SECONDS = 1.0
"""Shortest time of a caption of a single letter, which some things look like."""
KEPT_LINES = 256
"""Most earlier lines that are kept to recognise logos and clocks."""


@dataclass(frozen=True)
class Pending:
    """Lines of a video that were read."""

    lines: tuple[ReadText, ...] = ()
    """Lines not yet returned, in order of their first frames."""
    earlier: tuple[ReadText, ...] = ()
    """Earlier long texts and clocks, by which later ones are recognised."""


@dataclass(frozen=True)
class Clock:
    """Times that decide which captions are certain."""

    start_seconds: float
    """PTS of the video's first frame."""
    now_seconds: float
    """PTS of the last sample that was followed."""
    same_seconds: float
    """Time between two samples, and the largest difference between rows of one caption."""
    is_last: bool = False
    """True if the video has ended."""


def assemble(
    pending: Pending, lines: Iterable[ReadText], on_screen: Sequence[OpenLine], clock: Clock
) -> tuple[Pending, list[ReadText]]:
    """Return what is still pending, and the captions that have become certain.

    Args:
        lines: lines that have ended and were read since the last call.
        on_screen: lines that have not ended.
    """
    all_lines = list(pending.lines)
    for line in sorted(lines, key=lambda each: each.first.seconds):
        if line.confidence >= LEAST_CONFIDENCE and any(map(str.isalnum, line.text)):
            _put(all_lines, line)
    all_lines.sort(key=lambda each: each.first.seconds)
    certain = [
        line
        for group in _groups(all_lines, clock.same_seconds)
        for line in group
        if all(_is_certain(other, on_screen, clock) for other in group)
    ]
    context = [*pending.earlier, *all_lines]
    video_seconds = clock.now_seconds - clock.start_seconds
    captions = [
        line
        for line in certain
        if _lasts(line, clock.same_seconds)
        and not is_logo(line, context, video_seconds)
        and not is_clock(line, context)
    ]
    kept = [line for line in certain if is_clocklike(line.text) or line.seconds > LONG_SECONDS / 4]
    waiting = tuple(line for line in all_lines if all(line is not other for other in certain))
    earlier = (*pending.earlier, *kept)[-KEPT_LINES:]
    return Pending(waiting, earlier), grouped(captions, clock.same_seconds)


def grouped(lines: Sequence[ReadText], same_seconds: float) -> list[ReadText]:
    """Join rows that are on screen together to captions, in order of their first frames."""
    captions = [_caption(group) for group in _groups(lines, same_seconds)]
    return sorted(captions, key=lambda caption: (caption.first.seconds, int(caption.box[1])))


def _groups(lines: Sequence[ReadText], same_seconds: float) -> list[list[ReadText]]:
    """Return the rows of each caption, from the top to the bottom."""
    groups: list[list[ReadText]] = []
    for line in sorted(lines, key=lambda each: (each.box[1], each.box[0])):
        for group in groups:
            if any(_are_together(line, other, same_seconds) for other in group):
                group.append(line)
                break
        else:
            groups.append([line])
    return groups


def _lasts(line: ReadText, sample_seconds: float) -> bool:
    """Return whether a line is on screen for long enough to be a caption."""
    letters = sum(map(str.isalnum, line.text))
    least_seconds = LEAST_SECONDS if letters > 1 else LEAST_LETTER_SECONDS
    least_samples = LEAST_SAMPLES if sample_seconds < LEAST_SECONDS else 1
    return line.samples >= least_samples and line.seconds >= least_seconds


def _put(lines: list[ReadText], line: ReadText) -> None:
    """Add a line, or make it one with the line that it continues."""
    for index, other in enumerate(lines):
        before, after = sorted((other, line), key=lambda each: each.first.seconds)
        if continues(before, after):
            lines.pop(index)
            _put(lines, merged(before, after))
            return
    lines.append(line)


def _is_certain(line: ReadText, on_screen: Sequence[OpenLine], clock: Clock) -> bool:
    """Return whether no later line can be a part of this one, or show what it is."""
    if clock.is_last:
        return True
    hold_seconds = MERGE_SECONDS + clock.same_seconds
    if is_clocklike(line.text):
        hold_seconds = CLOCK_SECONDS
    elif line.seconds > LONG_SECONDS:
        hold_seconds = LOGO_SECONDS
    if clock.now_seconds - line.end.seconds <= hold_seconds:
        return False
    return not any(
        other.first.seconds - line.end.seconds <= hold_seconds
        and is_one_place(other.reference.box, line.box)
        for other in on_screen
    )


def _are_together(line: ReadText, other: ReadText, same_seconds: float) -> bool:
    """Return whether two lines are rows of one caption, or parts of one row."""
    apart_seconds = max(
        abs(line.first.seconds - other.first.seconds), abs(line.end.seconds - other.end.seconds)
    )
    heights = [int(each.box[3] - each.box[1]) for each in (line, other)]
    gaps = np.maximum(line.box[:2], other.box[:2]) - np.minimum(line.box[2:], other.box[2:])
    # Rows share columns; parts of a row share rows and have at most two letters between them.
    is_below = gaps[0] < 0 and gaps[1] <= ROW_GAP * min(heights)
    is_beside = gaps[1] < -0.5 * min(heights) and gaps[0] <= 2 * min(heights)
    return bool(apart_seconds <= same_seconds and (is_below or is_beside))


def _caption(rows: Sequence[ReadText]) -> ReadText:
    if len(rows) == 1:
        return rows[0]
    boxes = np.stack([row.box for row in rows])
    earliest = min(rows, key=lambda row: row.first.seconds)
    latest = max(rows, key=lambda row: row.end.seconds)
    weights = np.array([max(1, len(row.text)) for row in rows])
    confidence = np.average([row.confidence for row in rows], weights=weights)
    return replace(
        earliest,
        text=_text(rows, boxes),
        confidence=float(confidence),
        box=np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]),
        last=latest.last,
        end=latest.end,
        samples=max(row.samples for row in rows),
    )


def _text(rows: Sequence[ReadText], boxes: NDArray[np.int32]) -> str:
    """Return the text of rows, from the top to the bottom, and from left to right."""
    text, bottom = "", -1
    order = sorted(range(len(rows)), key=lambda index: int(boxes[index, 1]))
    lines: list[list[int]] = []
    for index in order:
        middle = boxes[index, [1, 3]].mean()
        if lines and middle < bottom:
            lines[-1].append(index)
        else:
            lines.append([index])
        bottom = int(boxes[index, 3])
    for line in lines:
        line.sort(key=lambda index: int(boxes[index, 0]))
        text += "\n" * bool(text) + " ".join(rows[index].text for index in line)
    return text
