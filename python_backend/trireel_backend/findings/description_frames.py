# SPDX-License-Identifier: Apache-2.0
"""Frames that are kept until their scene ends, and the frames that then stand for it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trireel_backend.wire.views import PackedView

MOST_KEPT = 8
"""Frames kept for the scenes that have not ended."""


def _no_pixels() -> NDArray[np.uint8]:
    return np.zeros((0, 0, 0, 3), np.uint8)


@dataclass(frozen=True)
class KeptFrames:
    """Frames of scenes that have not ended, in order of time."""

    seconds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """[f] PTS of the frames."""
    pixels: NDArray[np.uint8] = field(default_factory=_no_pixels)
    """[f, H, W, 3] RGB pixels."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.seconds.shape != self.pixels.shape[:1]:
            raise ValueError(
                f"frames at {self.seconds.shape} seconds have pixels {self.pixels.shape}"
            )

    def with_view(self, view: PackedView) -> "KeptFrames":
        """Return these frames and those of a view, each once and without its bars."""
        pixels = without_bars(view)
        is_new = np.concatenate([[True], np.diff(view.timestamps_seconds) > 0])
        if len(self.seconds):
            is_new &= view.timestamps_seconds > self.seconds[-1]
            if pixels.shape[1:] != self.pixels.shape[1:]:  # the picture changes its size midway
                return KeptFrames(view.timestamps_seconds[is_new], pixels[is_new].copy())
        else:
            return KeptFrames(view.timestamps_seconds[is_new], pixels[is_new].copy())
        return KeptFrames(
            np.concatenate([self.seconds, view.timestamps_seconds[is_new]]),
            np.concatenate([self.pixels, pixels[is_new]]),
        )

    def since(self, seconds: float) -> "KeptFrames":
        """Return the frames of scenes that end later, MOST_KEPT at most and evenly spread.

        The last frame stays in any case: it stands for a scene without a frame.
        """
        rows = np.flatnonzero(self.seconds >= seconds)
        if len(rows) == 0:
            rows = np.arange(len(self.seconds))[-1:]
        kept = list(rows)
        while len(kept) > MOST_KEPT:
            gaps = self.seconds[kept[2:]] - self.seconds[kept[:-2]]
            del kept[int(np.argmin(gaps)) + 1]
        return KeptFrames(self.seconds[kept], self.pixels[kept])

    def of_scene(self, start_seconds: float, end_seconds: float, count: int) -> NDArray[np.uint8]:
        """Return the frames that stand for a scene: evenly spread, or the nearest one."""
        inside = np.flatnonzero((self.seconds >= start_seconds) & (self.seconds < end_seconds))
        if len(inside) == 0:
            middle = (start_seconds + end_seconds) / 2
            inside = np.array([int(np.argmin(np.abs(self.seconds - middle)))])
        length = end_seconds - start_seconds
        places = start_seconds + (np.arange(count) + 0.5) * length / count
        nearest = [int(inside[np.argmin(np.abs(self.seconds[inside] - at))]) for at in places]
        return self.pixels[sorted(set(nearest))]


def without_bars(view: PackedView) -> NDArray[np.uint8]:
    """Return the part of a view's frames that shows the picture, [f, h, w, 3]."""
    _, height_px, width_px, _ = view.pixels.shape
    _, _, width, height = view.region
    shown_width = max(1, min(width_px, round(width_px / max(width, 1.0))))
    shown_height = max(1, min(height_px, round(height_px / max(height, 1.0))))
    return view.pixels[:, :shown_height, :shown_width]
