# SPDX-License-Identifier: Apache-2.0
"""Kalman filters of boxes that move steadily.

Centre, width and height of a box are four independent values, each with a speed. So each has a
filter of two numbers, and the filters of all tracks are computed at once. The deviations are those
of ByteTrack, which states them for video of 30 frames a second; here they grow with the time
between two frames, so that they suit any rate.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.tracking.boxes import Boxes, of_centres, to_centres

USUAL_FPS = 30.0
"""Frames per second for which the deviations are stated."""
VALUE_DEVIATION = 1 / 20
"""Deviation of a value after a frame, as a share of the box's width or height."""
SPEED_DEVIATION = USUAL_FPS / 160
"""Deviation of a speed after a frame, as a share of the box's width or height in a second."""
LEAST_SIDE = 1e-4
"""Smallest width and height of a predicted box: a box that shrinks must not turn round."""


@dataclass(frozen=True)
class Motion:
    """The filters of some boxes."""

    values: NDArray[np.float64]
    """[t, 4] the centre's x and y, width and height."""
    speeds: NDArray[np.float64]
    """[t, 4] their change in a second."""
    variances: NDArray[np.float64]
    """[t, 4, 3] variance of each value, its covariance with its speed, variance of the speed."""

    def __post_init__(self) -> None:
        count = len(self.values)
        shapes = (self.values.shape, self.speeds.shape, self.variances.shape)
        if shapes != ((count, 4), (count, 4), (count, 4, 3)):  # a state from outside
            raise ValueError(f"the filters have the shapes {shapes}")

    @classmethod
    def of(cls, boxes: Boxes) -> "Motion":
        """Return the filters of boxes [t, 4] that were seen once: their speed is not known."""
        values = to_centres(boxes)
        sides = _sides(values)
        variances = np.zeros((len(boxes), 4, 3))
        variances[..., 0] = (2 * VALUE_DEVIATION * sides) ** 2
        variances[..., 2] = (10 * SPEED_DEVIATION * sides) ** 2
        return cls(values, np.zeros_like(values), variances)

    @property
    def boxes(self) -> Boxes:
        """Boxes [t, 4] of the filters."""
        return of_centres(self.values)

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int_]) -> "Motion":
        """Return the filters of some rows."""
        return Motion(self.values[rows], self.speeds[rows], self.variances[rows])

    def then(self, other: "Motion") -> "Motion":
        """Return these filters, and others behind them."""
        return Motion(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.speeds, other.speeds]),
            np.concatenate([self.variances, other.variances]),
        )

    def with_constant_sides(self, rows: NDArray[np.bool_]) -> "Motion":
        """Return the filters; the width and the height of some rows stay as they are."""
        speeds = self.speeds.copy()
        speeds[rows, 2:] = 0.0
        return replace(self, speeds=speeds)


def predict(motion: Motion, seconds: float) -> Motion:
    """Return the filters after a time without a box."""
    sides = _sides(motion.values)
    frames = seconds * USUAL_FPS
    values = motion.values + motion.speeds * seconds
    values[:, 2:] = np.maximum(values[:, 2:], LEAST_SIDE)
    value, shared, speed = np.moveaxis(motion.variances, 2, 0)
    variances = np.stack(
        [
            value
            + 2 * seconds * shared
            + seconds**2 * speed
            + frames * (VALUE_DEVIATION * sides) ** 2,
            shared + seconds * speed,
            speed + frames * (SPEED_DEVIATION * sides) ** 2,
        ],
        axis=2,
    )
    return Motion(values, motion.speeds, variances)


def update(motion: Motion, boxes: Boxes) -> Motion:
    """Return the filters after each has seen a box of [t, 4]."""
    value, shared, speed = np.moveaxis(motion.variances, 2, 0)
    difference = to_centres(boxes) - motion.values
    total = value + (VALUE_DEVIATION * _sides(motion.values)) ** 2
    gain, speed_gain = value / total, shared / total
    variances = np.stack(
        [(1 - gain) * value, (1 - gain) * shared, speed - speed_gain * shared], axis=2
    )
    return Motion(
        motion.values + gain * difference, motion.speeds + speed_gain * difference, variances
    )


def _sides(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return width, height, width and height [t, 4]: the scale of each value."""
    return np.maximum(values[:, [2, 3, 2, 3]], LEAST_SIDE)
