# SPDX-License-Identifier: Apache-2.0
"""A camera that stands still, pans or zooms from one view to another, in any light."""

from dataclasses import dataclass

from trireel_drawings.painting.canvas import View
from trireel_drawings.painting.motion import sway

NEUTRAL = (1.0, 1.0, 1.0)
SHAKE_PERIODS_SECONDS = (0.37, 0.9)


@dataclass(frozen=True)
class Travel:
    """A camera whose view moves evenly from `first` to `last`, and stands before and after."""

    first: View
    """View until the move begins."""
    last: View
    """View after the move."""
    begin_seconds: float = 0.0
    """Time of the shot at which the move begins."""
    seconds: float = 1.0
    """Duration of the move, above 0."""
    shake: float = 0.0
    """Amplitude of a hand's shake, in world units."""
    phase: float = 0.0
    """Phase of the shake, in turns."""
    tint: tuple[float, float, float] = NEUTRAL
    """Factors of red, green and blue; small ones make a dark picture."""
    noise: int = 0
    """Largest change of a pixel by noise, in 8-bit steps."""

    def view(self, t: float) -> View:
        """Return the view at a time of the shot in seconds."""
        way = min(1.0, max(0.0, (t - self.begin_seconds) / self.seconds))
        first, last = self.first, self.last
        fast, slow = SHAKE_PERIODS_SECONDS
        return View(
            centre_x=_between(first.centre_x, last.centre_x, way)
            + sway(t, slow, self.shake, self.phase)
            + sway(t, fast, self.shake / 2, self.phase),
            centre_y=_between(first.centre_y, last.centre_y, way)
            + sway(t, slow * 1.3, self.shake * 0.7, self.phase + 0.2),
            zoom=_between(first.zoom, last.zoom, way),
            mirrored=first.mirrored,
        )


def _between(low: float, high: float, way: float) -> float:
    return low + (high - low) * way
