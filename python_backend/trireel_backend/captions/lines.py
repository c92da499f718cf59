# SPDX-License-Identifier: Apache-2.0
"""Lines of text while they are on screen, and the frames at which they begin and end."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.reference import (
    PRESENT,
    Agreement,
    Box,
    Reference,
    agreement,
    make_reference,
    mean_of_tiles,
    sharpness,
)
from trireel_backend.captions.stretch import Moment, Stretch
from trireel_backend.captions.strokes import luma

SHARPER = 1.05
"""Factor by which a frame must be sharper to take the place of the reference."""

CONFIRMING_SAMPLES = 2
"""Samples in which tiles must differ after the first one for the text to have changed."""
LONGEST_FADE_SECONDS = 0.6
"""Longest time in which a line fades in."""


@dataclass(frozen=True)
class OpenLine:
    """A line of text that is on screen."""

    reference: Reference
    """Picture of the line in its sharpest sample."""
    picture: NDArray[np.uint8]
    """[h, w, 3] RGB pixels of the box in that sample."""
    first: Moment
    """First frame that shows the line."""
    last: Moment
    """Last sample that shows the line."""
    samples: int = 1
    """Number of samples that show the line."""
    score: float = 0.0
    """Score of the text detector, 0 to 1."""
    lowest: NDArray[np.float32] | None = None
    """[rows, columns] lowest agreement of each tile of the picture so far, None for one sample."""


@dataclass(frozen=True)
class ClosedLine:
    """A line of text that is no longer on screen, or has changed."""

    reference: Reference
    """Picture of the line in its sharpest sample."""
    picture: NDArray[np.uint8]
    """[h, w, 3] RGB pixels of the box in that sample."""
    first: Moment
    """First frame that shows the line."""
    last: Moment
    """Last frame that shows the line."""
    end: Moment
    """First frame that does not show the line, or the end of the video."""
    samples: int
    """Number of samples that show the line."""


def begin_line(
    frames: Stretch, sample: int, box: Box, score: float, other_until_seconds: float = math.inf
) -> OpenLine:
    """Return the line that stands in a box at a sample, given by its place in `frames.samples`.

    Its first frame is looked for backwards, as far as the stretch reaches.

    Args:
        other_until_seconds: end of the last other text at this place. Before that, a few strokes
            that differ are of the other text; after it, of the background.
    """
    index = frames.samples[sample]
    reference = _reference_at(frames, sample, box)
    first = _first_frame(frames, sample, reference, after_change=False)
    if frames.moments[first].seconds < other_until_seconds:
        first = _first_frame(frames, sample, reference, after_change=True)
    picture = frames.picture(index, box).copy()
    return OpenLine(reference, picture, frames.moments[first], frames.moments[index], score=score)


def after_sample(
    line: OpenLine, frames: Stretch, sample: int
) -> tuple[OpenLine | None, ClosedLine | None]:
    """Look for a line in the next sample.

    Returns:
        The line if it continues, and what ended before the sample. If the text of the box changes,
        the old line ends, and a new one begins in the same box.
    """
    index = frames.samples[sample]
    brightness = frames.brightness(index, line.reference.box)
    compared = agreement(line.reference, brightness)
    failed = compared.failed(line.lowest)
    if compared.is_present and not (failed.any() and _stays(line, frames, sample, failed)):
        return _seen(line, frames, sample, compared), None
    end = _first_without(frames, sample, line, compared)
    closed = close_line(line, frames, end)
    if not compared.is_present:
        return None, closed
    changed = begin_line(frames, sample, line.reference.box, line.score)
    return replace(changed, first=frames.moments[end]), closed


def has_more_strokes(line: OpenLine, frames: Stretch, sample: int) -> bool:
    """Return whether a sample shows strokes in a line's box that the line does not have.

    A text that only grows, such as F to E, agrees with the line as it was.
    """
    now = _reference_at(frames, sample, line.reference.box)
    return not agreement(now, luma(line.picture)).is_same()


def close_line(line: OpenLine, frames: Stretch, end: int) -> ClosedLine:
    """Return a line that ends before a frame of the stretch."""
    last = frames.moments[end - 1] if end else line.last
    return ClosedLine(
        line.reference, line.picture, line.first, last, frames.moments[end], line.samples
    )


def end_with_video(line: OpenLine, last: Moment, end: Moment) -> ClosedLine:
    """Return a line that is on screen until the video's last frame."""
    return ClosedLine(line.reference, line.picture, line.first, last, end, line.samples)


def _stays(line: OpenLine, frames: Stretch, sample: int, failed: NDArray[np.bool_]) -> bool:
    """Return whether tiles that differ in a sample differ in the next ones, too.

    A letter that was exchanged stays; an edge of the background moves on.
    """
    box = line.reference.box
    for index in frames.samples[sample + 1 : sample + 1 + CONFIRMING_SAMPLES]:
        compared = agreement(line.reference, frames.brightness(index, box))
        if not compared.is_present:
            return True
        if not (compared.failed(line.lowest) & failed).any():
            return False
    return True


def _seen(line: OpenLine, frames: Stretch, sample: int, compared: Agreement) -> OpenLine:
    index = frames.samples[sample]
    lowest = line.lowest if compared.failed(line.lowest).any() else _lowest(line.lowest, compared)
    line = replace(line, last=frames.moments[index], samples=line.samples + 1, lowest=lowest)
    brightness = frames.brightness(index, line.reference.box)
    if sharpness(line.reference, brightness) < SHARPER * line.reference.sharpness:
        return line
    reference = _reference_at(frames, sample, line.reference.box)
    return replace(
        line,
        reference=reference,
        picture=frames.picture(index, reference.box).copy(),
        first=_first_again(line, frames, sample, reference),
        lowest=None,
    )


def _lowest(lowest: NDArray[np.float32] | None, compared: Agreement) -> NDArray[np.float32]:
    return compared.tiles if lowest is None else np.minimum(lowest, compared.tiles)


def _first_again(line: OpenLine, frames: Stretch, sample: int, reference: Reference) -> Moment:
    """Return the first frame of a line by a sharper reference: that of a fade agrees too early."""
    first = line.first
    if frames.moments[0].seconds > first.seconds:
        return first
    for index, moment in enumerate(frames.moments[: frames.samples[sample]]):
        if moment.seconds > line.first.seconds + LONGEST_FADE_SECONDS:
            break
        if moment.seconds >= line.first.seconds:
            brightness = frames.brightness(index, reference.box)
            if not agreement(reference, brightness).is_present:
                first = frames.moments[index + 1]
    return first


def _reference_at(frames: Stretch, sample: int, box: Box) -> Reference:
    neighbours = [
        frames.brightness(frames.samples[other], box)
        for other in (sample - 1, sample + 1)
        if 0 <= other < len(frames.samples)
    ]
    return make_reference(box, frames.brightness(frames.samples[sample], box), neighbours)


def _first_frame(frames: Stretch, sample: int, reference: Reference, *, after_change: bool) -> int:
    """Return the index of the first frame of the line that a sample shows."""
    lowest: NDArray[np.float32] | None = None
    for before in range(sample - 1, -1, -1):
        index = frames.samples[before]
        compared = agreement(reference, frames.brightness(index, reference.box))
        failed = compared.failed(lowest)
        if not compared.is_present or (after_change and failed.any()):
            shown = frames.samples[before + 1]
            border = _border(frames, reference, compared, failed, shown)
            between = range(index + 1, shown)
            return next((i for i in between if border.shows(frames, i)), shown)
        lowest = _lowest(lowest, compared)
    return 0


def _first_without(frames: Stretch, sample: int, line: OpenLine, compared: Agreement) -> int:
    """Return the first frame without a line, up to a sample that does not show it."""
    index = frames.samples[sample]
    shown = frames.samples[sample - 1] if sample else 0
    border = _border(frames, line.reference, compared, compared.failed(line.lowest), shown)
    between = range(shown + 1 if sample else 0, index)
    return next((i for i in between if not border.shows(frames, i)), index)


@dataclass(frozen=True)
class _Border:
    """Tells the frames with a line from those without it, between two samples."""

    reference: Reference
    tiles: NDArray[np.bool_] | None
    """Tiles that differ if only a part of the text has changed, None if all of it is gone."""
    least: float
    """Smallest agreement of a frame with the line."""

    def shows(self, frames: Stretch, index: int) -> bool:
        compared = agreement(self.reference, frames.brightness(index, self.reference.box))
        if self.tiles is None or not compared.is_present:
            return compared.is_present
        return mean_of_tiles(compared, self.tiles) >= self.least


def _border(
    frames: Stretch,
    reference: Reference,
    without: Agreement,
    failed: NDArray[np.bool_],
    shown: int,
) -> _Border:
    """Return the border between a frame without a line and one that shows it."""
    if not without.is_present:
        return _Border(reference, None, PRESENT)
    with_line = agreement(reference, frames.brightness(shown, reference.box))
    # A letter that is exchanged has some strokes of the other.
    least = (mean_of_tiles(with_line, failed) + mean_of_tiles(without, failed)) / 2
    return _Border(reference, failed, least)
