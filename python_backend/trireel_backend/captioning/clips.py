# SPDX-License-Identifier: Apache-2.0
"""The samples of a region as clips of some seconds each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.stretch import Moment, Stretch

MOST_CLIP_BYTES = 96 * 2**20
"""Bytes of the frames of one clip; a clip of a large region is shorter than requested."""


@dataclass(frozen=True)
class ClipFrames:
    """The frames of one clip."""

    index: int
    """Index of the clip in the video, from 0."""
    frames: NDArray[np.uint8]
    """[f, H, W, 3] RGB."""
    moments: tuple[Moment, ...]
    """Time of each frame."""
    end_seconds: float
    """PTS of the first sample behind the clip, or the end of the video."""


class ClipCutter:
    """Cuts the samples of a video into clips."""

    def __init__(self, start_seconds: float, clip_seconds: float) -> None:
        self._start_seconds = start_seconds
        self._clip_seconds = clip_seconds
        self._frames: list[NDArray[np.uint8]] = []
        self._moments: list[Moment] = []
        self._index = 0

    def after(self, frames: Stretch) -> Iterator[ClipFrames]:
        """Add the samples of a stretch; yield the clips that are complete."""
        for index in frames.samples:
            moment = frames.moments[index]
            if self._moments and self._is_full(moment, frames.frames[index].nbytes):
                yield from self.end(moment.seconds)
            self._frames.append(frames.frames[index].copy())  # the others of the stretch go
            self._moments.append(moment)

    def end(self, end_seconds: float) -> Iterator[ClipFrames]:
        """Yield the clip that ends at a time, if there is one."""
        if self._moments:
            yield ClipFrames(self._index, np.stack(self._frames), tuple(self._moments), end_seconds)
            self._index += 1
            self._frames, self._moments = [], []

    def _is_full(self, moment: Moment, frame_bytes: int) -> bool:
        slots = [
            int((each.seconds - self._start_seconds) / self._clip_seconds + 1e-6)
            for each in (self._moments[0], moment)
        ]
        return slots[0] != slots[1] or (len(self._frames) + 1) * frame_bytes > MOST_CLIP_BYTES
