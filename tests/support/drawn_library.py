# SPDX-License-Identifier: Apache-2.0
"""Short videos of the drawn world, and queries whose right moment is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from support.videos import write_video
from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import PARAPHRASES, TAG_SYNONYMS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

PICTURE_PX = (192, 144)
FRAMES_A_SCENE = 20
FRAME_MS = 120
SCENE_SECONDS = FRAMES_A_SCENE * FRAME_MS / 1000


@dataclass(frozen=True)
class Truth:
    """A query and its right moment."""

    query: str
    """Text in other words than those of the server's tags and descriptions."""
    video: Path
    """Video that shows it."""
    start_seconds: float
    """Begin of the scene that shows it."""
    end_seconds: float
    """End of that scene."""


def write_drawn_library(folder: Path, scenes_a_video: int = 4) -> list[Truth]:
    """Draw held-out scenes, each description once, as videos; return a query for each."""
    truths = []
    for number, (place, description) in enumerate(_pairs()):
        start = number % scenes_a_video * SCENE_SECONDS
        words = PARAPHRASES[description][number % len(PARAPHRASES[description])]
        query = f"{words} in a {TAG_SYNONYMS[place][number % len(TAG_SYNONYMS[place])]}"
        video = folder / f"drawn-{number // scenes_a_video}.mp4"
        truths.append(Truth(query, video, start, start + SCENE_SECONDS))
    for first in range(0, len(truths), scenes_a_video):
        frames = [
            frame
            for number in range(first, min(first + scenes_a_video, len(truths)))
            for frame in _scene(number)
        ]
        times_ms = [FRAME_MS * index for index in range(len(frames))]
        write_video(truths[first].video, frames, times_ms)
    return truths


def _pairs() -> list[tuple[str, str]]:
    """Return each description once, in places that differ as far as possible."""
    places: dict[str, int] = {}
    chosen = []
    for description in dict.fromkeys(description for _, description in PAIRS):
        place = min(
            (place for place, other in PAIRS if other == description),
            key=lambda place: places.get(place, 0),
        )
        places[place] = places.get(place, 0) + 1
        chosen.append((place, description))
    return chosen


def _scene(number: int) -> list[np.ndarray]:
    place, description = _pairs()[number]
    scene = draw_scene(HELD_OUT_SEED + 300_000 + number, place, description)
    return [scene.frame(index * FRAME_MS / 1000, PICTURE_PX) for index in range(FRAMES_A_SCENE)]
