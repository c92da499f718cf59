# SPDX-License-Identifier: Apache-2.0
"""Drawn videos in which figures move, with the box of every thing in every frame."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support.mota import Accuracy, Boxes
from support.videos import write_video
from trireel_drawings.detection.pictures import LABELS, truth_of
from trireel_drawings.painting.things import Thing
from trireel_drawings.scenes.scene import HELD_OUT_SEED, Scene

FPS, SECONDS = 4, 24
SIZE_PX = (384, 216)
FIRST_SEED = HELD_OUT_SEED + 700
AWAY_SECONDS = 3.0
FAR = 0.4  # of the picture's width

KINDS = (
    ("parking lot", "A person walking alone"),
    ("park", "A person running"),
    ("beach", "A person walking alone"),
    ("lobby", "A person walking alone"),
    ("grocery store", "A person carrying a large box"),
    ("parking lot", "A car driving past parked cars"),
    ("shopping mall", "A person walking alone"),
    ("gym", "A person running"),
    ("hallway", "A person carrying a large box"),
    ("sports field", "A person running"),
)
"""Place and activity of each kind of video; its figures go from one side to the other."""


@dataclass
class Identities:
    """Tells things apart that the drawing calls one: what walks out at one side comes in again at
    the other."""

    _last: dict[int, tuple[float, float]] = field(default_factory=dict)  # time, centre's x
    _generations: dict[int, int] = field(default_factory=dict)

    def of(self, things: list[Thing], seconds: float) -> list[int]:
        """Return the id of each thing in the next frame."""
        ids = []
        for thing in things:
            middle = (thing.box[0] + thing.box[2]) / 2
            before, where = self._last.get(thing.number, (seconds, middle))
            if seconds - before > AWAY_SECONDS or abs(middle - where) > FAR:
                self._generations[thing.number] = self._generations.get(thing.number, 0) + 1
            self._last[thing.number] = seconds, middle
            ids.append(1000 * self._generations.get(thing.number, 0) + thing.number)
        return ids


def scene_of(index: int) -> Scene:
    """Return the scene of a video; no two are alike, and none is trained on."""
    return Scene(FIRST_SEED + index, *KINDS[index % len(KINDS)])


def observed(
    scene: Scene, times_seconds: NDArray[np.float64], size_px: tuple[int, int] = SIZE_PX
) -> Iterator[tuple[NDArray[np.uint8], Boxes]]:
    """Yield the frame [H, W, 3] and the true boxes at each time."""
    identities = Identities()
    for seconds in times_seconds.tolist():
        frame, things = scene.observed(seconds, size_px)
        known = [thing for thing in things if thing.label in LABELS]
        truth = truth_of(things)
        yield (
            frame,
            Boxes(
                truth.boxes.astype(np.float64),
                [thing.label for thing in known],
                identities.of(known, seconds),
                truth.hidden.tolist(),
            ),
        )


def write_drawn_video(path: Path, index: int) -> dict[float, Boxes]:
    """Write a video of SECONDS; return the true boxes of every frame, by its PTS in seconds."""
    times = np.round(np.arange(FPS * SECONDS) / FPS, 3)
    frames, truths = zip(*observed(scene_of(index), times), strict=True)
    write_video(path, frames, (times * 1000).round().astype(int).tolist())
    return dict(zip(times.tolist(), truths, strict=True))


def count(
    accuracy: Accuracy, answer: Mapping[str, NDArray[Any]], truth: dict[float, Boxes]
) -> None:
    """Count the frames of a video's answer: the outputs of `objects` by name."""
    accuracy.begin_video()
    times, tracks = answer["OBJECT_TIMESTAMPS"], answer["OBJECT_TRACK_IDS"]
    for seconds in answer["OBJECT_FRAME_TIMESTAMPS"].tolist():
        rows = np.flatnonzero(times == seconds)
        found = Boxes(
            answer["OBJECT_BOXES"][rows].astype(np.float64),
            [label.decode() for label in answer["OBJECT_LABELS"][rows]],
            tracks[rows].tolist(),
        )
        accuracy.add(truth[round(seconds, 3)], found)
