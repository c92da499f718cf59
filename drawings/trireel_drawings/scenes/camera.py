# SPDX-License-Identifier: Apache-2.0
"""The camera: how it moves, the light it sees and the noise it adds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.painting.canvas import WORLD_HEIGHT, WORLD_WIDTH, View
from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.motion import sway

TINTS: tuple[tuple[float, float, float], ...] = (
    (1.0, 1.0, 1.0),  # even daylight
    (1.06, 1.0, 0.9),  # afternoon
    (1.02, 0.92, 0.8),  # warm lamps
    (0.88, 0.95, 1.06),  # cold morning
    (0.72, 0.76, 0.88),  # dusk
    (1.1, 1.1, 1.08),  # very bright
)
MAX_NOISE = 7  # largest change of a pixel, in 8-bit steps
NOISE_RATE = 25  # times a second that the noise changes
SHAKE = 0.03  # world units


@dataclass(frozen=True)
class Camera:
    """The camera of one take: all numbers are in world units, seconds and turns."""

    mirrored: bool
    pan: float
    pan_period: float
    tilt: float
    zoom: float
    zoom_swing: float
    phase: float
    tint: tuple[float, float, float]
    noise: int

    def view(self, t: float) -> View:
        """Return the view at a time in seconds."""
        shake_x = sway(t, 0.7, SHAKE, self.phase) + sway(t, 0.31, SHAKE / 2, self.phase)
        return View(
            centre_x=WORLD_WIDTH / 2 + sway(t, self.pan_period, self.pan, self.phase) + shake_x,
            centre_y=WORLD_HEIGHT / 2 + sway(t, self.pan_period * 1.3, self.tilt, self.phase),
            zoom=self.zoom + sway(t, self.pan_period * 0.8, self.zoom_swing, self.phase),
            mirrored=self.mirrored,
        )


def random_camera(dice: Dice) -> Camera:
    """Return a random camera."""
    red, green, blue = dice.pick(TINTS)
    gain = dice.between(0.92, 1.08)
    return Camera(
        mirrored=dice.chance(0.5),
        pan=dice.between(0.1, 0.7),
        pan_period=dice.between(11.0, 22.0),
        tilt=dice.between(0.0, 0.2),
        zoom=dice.between(1.03, 1.16),
        zoom_swing=dice.between(0.0, 0.04),
        phase=dice.roll(),
        tint=(red * gain, green * gain, blue * gain),
        noise=dice.count(0, MAX_NOISE),
    )


def add_noise(
    frame: NDArray[np.uint8], amount: int, key: tuple[int, ...], t: float
) -> NDArray[np.uint8]:
    """Return the frame (uint8 [H, W, 3]) with each value changed by up to `amount` either way."""
    if amount == 0:
        return frame
    tick = int(t * NOISE_RATE + 0.5)
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((*key, tick))))
    grain = generator.integers(-amount, amount + 1, size=frame.shape, dtype=np.int8)
    return np.clip(frame.astype(np.int16) + grain, 0, 255).astype(np.uint8)
