# SPDX-License-Identifier: Apache-2.0
"""Generated videos, and fifty questions about them whose answers are known.

The scenes are held out from the training of the bundled checkpoint. Forty questions can be
answered: what happens, in other words than the training's descriptions; which place; both. Ten ask
for what the drawn world has and these videos do not show. Beside them stand questions about things
that are never drawn, which this checkpoint cannot know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from trireel_drawings.describing.questions import article
from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import PARAPHRASES, TAG_SYNONYMS, TAGS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

SEED = HELD_OUT_SEED + 700_000
PICTURE_PX = (256, 144)
RATE = 10
FRAMES_A_SCENE = 40
SCENE_SECONDS = FRAMES_A_SCENE / RATE
SCENES_A_VIDEO = 4
ABSENT_PLACES = ("bedroom", "hallway", "beach")
ACTIVITY_FORMS = ("When do we see {}?", "In which video is there {}?", "Please show me {}.")
PLACE_FORMS = ("When do we see {} {}?", "Which video shows {} {}?", "Is there {} {}?")
BOTH_FORMS = ("When do we see {} in {} {}?", "Where can I see {} in {} {}?")
NEVER_DRAWN = (
    "a dog swimming in the sea",
    "an elephant",
    "a rocket launch",
    "a violin concert",
    "someone riding a horse",
    "snow on a mountain",
    "a baby crying",
    "surgery in a hospital",
    "a helicopter landing",
    "someone reading a book",
)


@dataclass(frozen=True)
class Segment:
    """A scene of a video."""

    video: str
    """Name of the video."""
    place: str
    """Place of the scene."""
    description: str
    """What happens in it."""
    start_seconds: float
    """Begin of the scene."""
    end_seconds: float
    """End of the scene."""


@dataclass(frozen=True)
class Asked:
    """A question, and the scenes that answer it."""

    text: str
    """The question."""
    kind: str
    """`activity`, `place`, `both`, `absent` or `never drawn`."""
    truth: tuple[Segment, ...]
    """Scenes of which an answer may cite any; empty if nothing answers it."""


def segments() -> tuple[Segment, ...]:
    """Return the scenes of all videos: each description once, and no absent place."""
    places: dict[str, int] = {}
    found: list[Segment] = []
    for description in dict.fromkeys(description for _, description in PAIRS):
        possible = [
            place for place, other in PAIRS if other == description and place not in ABSENT_PLACES
        ]
        place = min(possible, key=lambda place: places.get(place, 0))
        places[place] = places.get(place, 0) + 1
        start = len(found) % SCENES_A_VIDEO * SCENE_SECONDS
        video = f"drawn-{len(found) // SCENES_A_VIDEO}.mp4"
        found.append(Segment(video, place, description, start, start + SCENE_SECONDS))
    return tuple(found)


def questions() -> tuple[Asked, ...]:
    """Return all questions, those that cannot be answered last."""
    world = segments()
    return (*_answerable(world), *_absent(world), *_never_drawn())


def write_videos(folder: Path) -> None:
    """Draw the videos that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    world = segments()
    for name in dict.fromkeys(segment.video for segment in world):
        if not (folder / name).exists():
            numbered = [(n, s) for n, s in enumerate(world) if s.video == name]
            _write(folder / name, [frame for n, s in numbered for frame in _frames(n, s)])


def _answerable(world: tuple[Segment, ...]) -> Iterator[Asked]:
    for number, segment in enumerate(world):
        words = PARAPHRASES[segment.description]
        text = _lower(words[number % len(words)])
        form = ACTIVITY_FORMS[number % len(ACTIVITY_FORMS)]
        same = tuple(each for each in world if each.description == segment.description)
        yield Asked(form.format(text), "activity", same)
    for number, place in enumerate(dict.fromkeys(segment.place for segment in world)):
        if number >= 12:
            break
        form = PLACE_FORMS[number % len(PLACE_FORMS)]
        yield Asked(
            form.format(article(place), place), "place", tuple(s for s in world if s.place == place)
        )
    for number, segment in enumerate(world[::3] + world[1:2]):
        words = PARAPHRASES[segment.description]
        text, place = _lower(words[(number + 1) % len(words)]), TAG_SYNONYMS[segment.place][0]
        form = BOTH_FORMS[number % len(BOTH_FORMS)]
        yield Asked(form.format(text, article(place), place), "both", (segment,))


def _absent(world: tuple[Segment, ...]) -> Iterator[Asked]:
    """Yield questions about places, and about activities in places, that no video shows."""
    for number, place in enumerate(ABSENT_PLACES):
        yield Asked(
            PLACE_FORMS[number % len(PLACE_FORMS)].format(article(place), place), "absent", ()
        )
    shown = {(segment.place, segment.description) for segment in world}
    absent = [pair for pair in PAIRS if pair not in shown][::5][:7]
    for number, (place, description) in enumerate(absent):
        form = BOTH_FORMS[number % len(BOTH_FORMS)]
        yield Asked(form.format(_lower(description), article(place), place), "absent", ())


def _never_drawn() -> Iterator[Asked]:
    for number, words in enumerate(NEVER_DRAWN):
        yield Asked(ACTIVITY_FORMS[number % len(ACTIVITY_FORMS)].format(words), "never drawn", ())


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _frames(number: int, segment: Segment) -> list[np.ndarray]:
    scene = draw_scene(SEED + number, segment.place, segment.description)
    return [scene.frame(index / RATE, PICTURE_PX) for index in range(FRAMES_A_SCENE)]


def _write(path: Path, frames: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width, stream.height = PICTURE_PX
        stream.pix_fmt = "yuv420p"
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


assert set(ABSENT_PLACES) <= set(TAGS)
