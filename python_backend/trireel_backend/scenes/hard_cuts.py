# SPDX-License-Identifier: Apache-2.0
"""Hard cuts: one step between two frames that stands out from the steps around it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.signals import (
    Pixels,
    histogram_distances,
    histograms,
    luma,
    moved_differences,
    step_differences,
)

AROUND_SECONDS = 0.21
"""Steps up to this far from a cut are compared with it."""
AROUND_STEPS = 2
"""Steps on each side that are compared with a cut, however far."""
LEAST_RATIO = 1.4
"""Smallest ratio of a cut's step to the largest step around it."""
LEAST_STEP = 3.0
LEAST_COLOUR_STEP = 0.12
CLEAR_COLOUR_STEP = 0.3
CLEAR_COLOUR_RATIO = 1.25
"""Smallest ratio of a cut that changes so many colours."""
CLEAR_STEP = 15.0
CLEAR_RATIO = 2.5
"""A step this large that stands out so much is a cut although the colours stay."""
NOISE = 1.5
"""Added to the steps around a cut, so that noise in a still picture is none."""
FLASH_SECONDS = 1.0
"""A flash is over after this time, and the scene before it is back."""
SHORT_FLASH_SECONDS = 0.3
FLASH_LUMA = 40.0
"""Least rise of the mean luma in a flash."""
FLASH_REMAINDER = 1 / 3
"""Largest share of that rise that is left when the flash is over."""
SAME_COLOURS = 0.25
SAME_COLOURS_AFTER_FLASH = 0.3
SAME_SHAPES = 1 / 3
"""Largest difference after a flash, beside the step into the flash."""


@dataclass(frozen=True)
class Run:
    """Frames of a video in order; between two that look alike others may be missing."""

    pixels: Pixels
    """[n, 27, 48, 3] RGB."""
    seconds: NDArray[np.float64]
    """[n] PTS."""

    def __len__(self) -> int:
        return len(self.seconds)

    @cached_property
    def luma(self) -> NDArray[np.int16]:
        """[n, 27, 48] brightness."""
        return luma(self.pixels)

    @cached_property
    def contrasts(self) -> NDArray[np.float64]:
        """[n] standard deviation of each frame's brightness."""
        deviations: NDArray[np.float64] = self.luma.std(axis=(1, 2), dtype=np.float64)
        return deviations

    @cached_property
    def steps(self) -> NDArray[np.float32]:
        """[n] difference of each frame from the frame before it, motion by a pixel left out."""
        return step_differences(self.luma)

    @cached_property
    def histograms(self) -> NDArray[np.float32]:
        """[n, 512] colour histograms."""
        return histograms(self.pixels)

    @cached_property
    def colour_steps(self) -> NDArray[np.float32]:
        """[n] distance of each frame's histogram from that of the frame before it."""
        distances = histogram_distances(self.histograms[:-1], self.histograms[1:])
        return np.concatenate([np.zeros(min(1, len(self)), np.float32), distances])


@dataclass(frozen=True)
class HardCut:
    """A step that looks like a cut."""

    index: int
    """Index of the first frame of the new scene."""
    ratio: float
    """Its step beside the largest step around it."""


@dataclass(frozen=True)
class Flash:
    """Frames that interrupt a scene."""

    first: int
    """Index of the first frame of the flash."""
    end: int
    """Index of the first frame behind it, which is like the frame before it."""


def hard_cuts(run: Run) -> list[HardCut]:
    """Return the cuts of a run, in order; flashes are left out."""
    return cuts_and_flashes(run)[0]


def cuts_and_flashes(run: Run) -> tuple[list[HardCut], list[Flash]]:
    """Return the cuts of a run, and the flashes that would be cuts, both in order."""
    candidates = np.flatnonzero(run.steps >= LEAST_STEP).tolist()
    cuts = [HardCut(index, _ratio(run, index)) for index in candidates]
    return _without_flashes(run, [found for found in cuts if _stands_out(run, found)])


def _stands_out(run: Run, found: HardCut) -> bool:
    colour_step = float(run.colour_steps[found.index])
    if colour_step >= CLEAR_COLOUR_STEP:
        return found.ratio >= CLEAR_COLOUR_RATIO
    if colour_step >= LEAST_COLOUR_STEP:
        return found.ratio >= LEAST_RATIO
    return found.ratio >= CLEAR_RATIO and float(run.steps[found.index]) >= CLEAR_STEP


def _ratio(run: Run, index: int) -> float:
    """Return a step divided by the largest step around it.

    A step between frames that lie further apart in time may be larger, so the steps around are
    scaled by the ratio of the times.
    """
    gaps = np.diff(run.seconds, prepend=run.seconds[0])
    near = np.abs(run.seconds - run.seconds[index]) <= AROUND_SECONDS
    near[max(1, index - AROUND_STEPS) : index + AROUND_STEPS + 1] = True
    near[[0, index]] = False
    around = np.flatnonzero(near)
    if len(around) == 0:
        return float(run.steps[index] / NOISE)
    scaled = run.steps[around] * np.minimum(4.0, gaps[index] / np.maximum(gaps[around], 1e-6))
    return float(run.steps[index] / (scaled.max() + NOISE))


def _without_flashes(run: Run, cuts: list[HardCut]) -> tuple[list[HardCut], list[Flash]]:
    kept: list[HardCut] = []
    flashes: list[Flash] = []
    for position, found in enumerate(cuts):
        if flashes and found.index <= flashes[-1].end:
            continue
        following = cuts[position + 1 :]
        end = _end_of_flash(run, found, following)
        if end is None:
            kept.append(found)
        else:
            flashes.append(Flash(found.index, end))
    return kept, flashes


def _end_of_flash(run: Run, found: HardCut, following: list[HardCut]) -> int | None:
    """Return the index of the frame at which a flash is over, None if it is a cut.

    After a flash the same picture is back. If it comes back by a second cut, the picture between
    them may be a short scene instead, so the second cut must follow very soon.
    """
    first, before = found.index, found.index - 1
    rise = _mean_luma(run, first) - _mean_luma(run, before)
    allowed_seconds = SHORT_FLASH_SECONDS
    if rise >= FLASH_LUMA:
        next_seconds = run.seconds[following[0].index] if following else np.inf
        lasted_seconds = float(next_seconds - run.seconds[first]) - 1e-6
        allowed_seconds = max(allowed_seconds, min(FLASH_SECONDS, lasted_seconds))
    for later in range(first + 1, len(run)):
        if run.seconds[later] - run.seconds[first] > allowed_seconds:
            return None
        if is_back(run, before, later, float(run.steps[first])) or _is_dark_again(
            run, before, later, rise
        ):
            return later
    return None


def _is_dark_again(run: Run, before: int, later: int, rise: float) -> bool:
    """Return whether a flash is over and the colours are back; things may have moved meanwhile."""
    if rise < FLASH_LUMA:
        return False
    colours = histogram_distances(run.histograms[before], run.histograms[later])
    left = abs(_mean_luma(run, later) - _mean_luma(run, before))
    return float(colours) <= SAME_COLOURS_AFTER_FLASH and left <= rise * FLASH_REMAINDER


def _mean_luma(run: Run, index: int) -> float:
    return float(run.luma[index].mean())


def is_back(run: Run, before: int, later: int, step: float) -> bool:
    """Return whether the picture before a step of this size is back at a later frame."""
    colours = float(histogram_distances(run.histograms[before], run.histograms[later]))
    if colours > SAME_COLOURS:
        return False
    pair = run.luma[before : before + 1], run.luma[later : later + 1]
    left = float(moved_differences(*pair, reach_px=2)[0])
    return left <= SAME_SHAPES * step
