# SPDX-License-Identifier: Apache-2.0
"""Transitions of a video whose frames come chunk by chunk.

A transition is decided as soon as all frames that can matter to it are there. The last seconds of
frames stay in the state for that. So the division into chunks changes no decision.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.hard_cuts import Run
from trireel_backend.scenes.judge import Scores, find_transitions
from trireel_backend.scenes.sampling import SCAN_STRIDE, thinned
from trireel_backend.scenes.signals import HEIGHT_PX, WIDTH_PX, Pixels
from trireel_backend.scenes.transitions import Transition

LOOKAHEAD_SECONDS = 4.0
"""Frames this far behind a transition may matter to it: longer than any fade."""
MEMORY_SECONDS = 6.0
"""Frames this far before the next undecided transition may matter to it."""
LEAST_MODEL_FRAMES = 125
"""Frames for TransNetV2 that stay in the state at least, for windows of a slow video."""
LONG_AGO = -1e18


@dataclass(frozen=True)
class Track:
    """The frames of a video that still matter."""

    pixels: Pixels
    """[n, 27, 48, 3] RGB."""
    seconds: NDArray[np.float64]
    """[n] PTS."""
    single: NDArray[np.float32]
    """[k] TransNetV2's `single` for the frames that `thinned` chooses, NaN if not judged."""
    many: NDArray[np.float32]
    """[k] TransNetV2's `many` for the same frames."""
    model_frames_before: int = 0
    """Number of frames for TransNetV2 that have left the state."""
    next_window: int = 0
    """Index of the first window that has not been judged or left out."""
    decided_seconds: float = LONG_AGO
    """Every transition that ends up to this PTS has been reported."""

    def __post_init__(self) -> None:
        frames, judged = len(self.seconds), (self.single.shape, self.many.shape)
        is_whole = self.pixels.shape == (frames, HEIGHT_PX, WIDTH_PX, 3) and self.seconds.ndim == 1
        if not is_whole or judged[0] != judged[1] or self.single.ndim != 1:  # a state from outside
            raise ValueError(
                f"a track of {self.seconds.shape} frames has pixels {self.pixels.shape} and scores"
                f" {judged[0]} and {judged[1]}"
            )

    @property
    def run(self) -> Run:
        """The frames as a run."""
        return Run(self.pixels, self.seconds)

    def extended(self, pixels: Pixels, seconds: NDArray[np.float64]) -> "Track":
        """Return the track with further frames; frames that are not after the last are left out."""
        last_seconds = self.seconds[-1] if len(self.seconds) else LONG_AGO
        new = np.flatnonzero(seconds > last_seconds)
        all_seconds = np.concatenate([self.seconds, seconds[new]])
        missing = len(thinned(all_seconds)) - len(self.single)
        unknown = np.full(missing, np.nan, np.float32)
        return replace(
            self,
            pixels=np.concatenate([self.pixels, pixels[new]]),
            seconds=all_seconds,
            single=np.concatenate([self.single, unknown]),
            many=np.concatenate([self.many, unknown]),
        )


def empty_track() -> Track:
    """Return the track of a video before its first frame."""
    none = np.zeros(0, np.float32)
    return Track(np.zeros((0, HEIGHT_PX, WIDTH_PX, 3), np.uint8), np.zeros(0), none, none)


def decide(
    track: Track, *, is_last: bool, judged_to_seconds: float | None
) -> tuple[Track, list[Transition]]:
    """Return the track without frames that no longer matter, and the transitions now decided.

    Args:
        is_last: no further frames will come.
        judged_to_seconds: PTS up to which TransNetV2 has judged all that it will be asked about;
            None if the pictures alone decide.
    """
    if len(track.seconds) == 0:
        return track, []
    decided_seconds = float(track.seconds[-1]) - LOOKAHEAD_SECONDS
    scores = None
    if judged_to_seconds is not None:
        decided_seconds = min(decided_seconds, judged_to_seconds)
        scores = Scores(track.seconds[thinned(track.seconds)], track.single, track.many)
    if is_last:
        decided_seconds = float("inf")
    decided_seconds = max(decided_seconds, track.decided_seconds)
    found = [
        transition
        for transition in find_transitions(track.run, scores)
        if track.decided_seconds < transition.end_seconds <= decided_seconds
    ]
    if is_last:
        return empty_track(), found
    return _shortened(replace(track, decided_seconds=decided_seconds)), found


def _shortened(track: Track) -> Track:
    """Return the track without frames that no longer matter.

    It begins with a frame that `thinned` chooses whatever the stride, so that the choice of the
    other frames does not change.
    """
    chosen = thinned(track.seconds)
    borders = thinned(track.seconds, SCAN_STRIDE)
    borders = borders[track.seconds[borders] <= track.decided_seconds - MEMORY_SECONDS]
    if len(chosen) > LEAST_MODEL_FRAMES:
        borders = borders[borders <= chosen[-LEAST_MODEL_FRAMES]]
    else:
        borders = borders[:1]
    if len(borders) == 0 or borders[-1] == 0:
        return track
    begin = int(borders[-1])
    left = int(np.searchsorted(chosen, begin))
    return replace(
        track,
        pixels=track.pixels[begin:].copy(),
        seconds=track.seconds[begin:].copy(),
        single=track.single[left:].copy(),
        many=track.many[left:].copy(),
        model_frames_before=track.model_frames_before + left,
    )
