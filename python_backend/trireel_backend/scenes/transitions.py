# SPDX-License-Identifier: Apache-2.0
"""A transition between two scenes."""

from dataclasses import dataclass

CUT = "cut"
DISSOLVE = "dissolve"
FADE = "fade"
WIPE = "wipe"


@dataclass(frozen=True)
class Transition:
    """The end of one scene and the begin of the next."""

    seconds: float
    """PTS of the first frame of the new scene; of a gradual transition, PTS of its middle frame."""
    begin_seconds: float
    """PTS of the first frame that is no longer the old scene alone."""
    end_seconds: float
    """PTS of the first frame that is the new scene alone."""
    kind: str
    """CUT, DISSOLVE, FADE or WIPE."""
    score: float
    """Strength of the evidence; the reason states its unit."""
    reason: str
    """The evidence, in a few words."""


def cut(seconds: float, score: float, reason: str) -> Transition:
    """Return a hard cut at the first frame of the new scene."""
    return Transition(seconds, seconds, seconds, CUT, score, reason)
