# SPDX-License-Identifier: Apache-2.0
"""Real takes filmed again: a window that shakes and pans over them, other speeds and colours."""

from dataclasses import dataclass
from functools import cached_property
from math import pi, sin

import numpy as np
from PIL import Image

from benchmarks.common.footage.clips import Picture
from benchmarks.common.footage.joins import blend

SHAKE_PERIODS_SECONDS = (0.23, 0.61, 1.7)
BLUR_STEPS = 4
BLUR_LEAST_PX = 6.0  # movement of the window from frame to frame from which the picture blurs
SHUTTER_SECONDS = 0.02


@dataclass(frozen=True)
class Look:
    """How a take is filmed again."""

    start: float = 0.0
    """Index of the frame at time 0; may be a fraction."""
    speed: float = 1.0
    """Factor of the take's own speed."""
    blended: bool = False
    """Whether frames between two of the take are mixed; if not, the nearer one is repeated."""
    zoom: float = 1.1
    """Magnification of the window, at least 1."""
    end_zoom: float = 1.1
    """Magnification after the move."""
    first: tuple[float, float] = (0.5, 0.5)
    """Position of the window before the move, as parts of the room that the window has."""
    last: tuple[float, float] = (0.5, 0.5)
    """Position after the move."""
    move: tuple[float, float] = (0.0, 1.0)
    """Time at which the move begins, and its duration, in seconds."""
    shake: float = 0.0
    """Amplitude of a hand's shake, as a part of the window's width."""
    phase: float = 0.0
    """Phase of the shake, in turns."""
    mirrored: bool = False
    """Whether left and right are swapped."""
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factors of red, green and blue."""
    gamma: float = 1.0
    """Exponent of the brightness."""
    grey: float = 0.0
    """Part of the colour that is taken away, in [0, 1]."""


@dataclass(frozen=True)
class Filming:
    """A take with a look: a picture at any time."""

    frames: tuple[Picture, ...]
    fps: float
    look: Look
    size_px: tuple[int, int]

    def picture(self, t: float) -> Picture:
        """Return the frame (uint8 [H, W, 3]) at a time of the shot in seconds."""
        source = self._source(t)
        boxes = [self._box(t)]
        before = self._box(t - SHUTTER_SECONDS)
        if abs(boxes[0][0] - before[0]) + abs(boxes[0][1] - before[1]) > BLUR_LEAST_PX:
            steps = (t - SHUTTER_SECONDS * step / BLUR_STEPS for step in range(BLUR_STEPS))
            boxes = [self._box(at) for at in steps]
        windows = [self._window(source, box) for box in boxes]
        image = np.mean(windows, axis=0) if len(windows) > 1 else windows[0]
        if self.look.mirrored:
            image = image[:, ::-1]
        return np.ascontiguousarray(self._graded(image))

    def _source(self, t: float) -> Picture:
        """Return the take's frame; at its ends the take turns round, so that nothing jumps."""
        last = len(self.frames) - 1
        at = (self.look.start + t * self.fps * self.look.speed) % (2 * last)
        at = at if at <= last else 2 * last - at
        low = int(at)
        if not self.look.blended or low == last:
            return self.frames[min(last, int(at + 0.5))]
        return blend(self.frames[low], self.frames[low + 1], at - low)

    def _box(self, t: float) -> tuple[float, float, float, float]:
        """Return the window's edges in the take: left, top, right, bottom."""
        look, (height, width, _) = self.look, self.frames[0].shape
        way = min(1.0, max(0.0, (t - look.move[0]) / look.move[1]))
        way = way * way * (3 - 2 * way)
        zoom = look.zoom + (look.end_zoom - look.zoom) * way
        shape = self.size_px[0] / self.size_px[1]
        box_width = min(width, height * shape) / zoom
        box_height = box_width / shape
        x = look.first[0] + (look.last[0] - look.first[0]) * way
        y = look.first[1] + (look.last[1] - look.first[1]) * way
        left = x * (width - box_width) + self._sway(t, 0.0) * box_width
        top = y * (height - box_height) + self._sway(t, 0.37) * box_width
        left = min(max(0.0, left), width - box_width)
        top = min(max(0.0, top), height - box_height)
        return left, top, left + box_width, top + box_height

    def _sway(self, t: float, phase: float) -> float:
        turns = (t / period + self.look.phase + phase for period in SHAKE_PERIODS_SECONDS)
        return self.look.shake * sum(sin(2 * pi * turn) for turn in turns) / 3

    def _window(self, source: Picture, box: tuple[float, float, float, float]) -> Picture:
        image = Image.fromarray(source)
        return np.asarray(image.resize(self.size_px, Image.Resampling.BILINEAR, box=box))

    def _graded(self, image: "np.typing.NDArray[np.generic]") -> Picture:
        """Return the picture in the look's colours."""
        if not self._changes_colours:
            return image.astype(np.uint8)
        light = (image.astype(np.float32) / 255) ** self.look.gamma
        light *= np.asarray(self.look.colour, np.float32)
        if self.look.grey:
            light += (light.mean(axis=2, keepdims=True) - light) * self.look.grey
        return np.clip(light * 255 + 0.5, 0, 255).astype(np.uint8)

    @cached_property
    def _changes_colours(self) -> bool:
        return (self.look.colour, self.look.gamma, self.look.grey) != ((1.0, 1.0, 1.0), 1.0, 0.0)
