# SPDX-License-Identifier: Apache-2.0
"""What an answer may speak of: stretches of videos, each with its name and its times."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from trireel_app.chat.plain_text import data

NAME_CHARACTERS = 80
LEAST_NAME = 4  # characters of a name that a question may name: a shorter one is a word
PLAIN_WORDS = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*")
CITED = "[{name} {clock}]"


@dataclass(frozen=True)
class Remark:
    """What a model that looks at pictures says about the picture of a sighting."""

    question: str
    """Question that the model was asked."""
    answer: str
    """Answer of the model, as plain text."""
    backend: str
    """Name of the backend that answered."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A stretch of a video that fits a question."""

    video_id: str
    """Id of the video."""
    name: str
    """Name of the video in citations; no other video of the answer has it."""
    start_seconds: float
    """PTS at which the stretch begins."""
    end_seconds: float
    """PTS at which the stretch ends."""
    at_seconds: float
    """PTS of the frame that fits best."""
    probability: float | None
    """Probability that the checkpoint gives for that frame; None if it was found by its place."""
    tags: tuple[str, ...] = ()
    """Tags of the scene, best first."""
    caption: str = ""
    """Caption of the scene."""
    on_screen: str = ""
    """Text on the screen in the scene."""
    objects: tuple[str, ...] = ()
    """Labels of the objects in the scene."""
    description: str = ""
    """Description of the scene."""
    thumbnail: str = ""
    """Name of the scene's picture in the library; empty if there is none."""
    picture_seconds: float = 0.0
    """PTS of that picture."""
    remarks: tuple[Remark, ...] = ()
    """What a model says about that picture."""

    def holds(self, seconds: float, tolerance_seconds: float) -> bool:
        """Return whether a time lies in the stretch, or is that of its picture."""
        is_inside = (
            self.start_seconds - tolerance_seconds
            <= seconds
            <= self.end_seconds + tolerance_seconds
        )
        return is_inside or (
            bool(self.remarks) and abs(seconds - self.picture_seconds) <= tolerance_seconds
        )


def cited(name: str, seconds: float) -> str:
    """Return a citation as it stands in a text: `[NAME mm:ss.mmm]`."""
    return CITED.format(name=name, clock=clock(seconds))


def clock(seconds: float) -> str:
    """Return a time as `mm:ss.mmm`; an hour and a half is `90:00.000`."""
    # Rounded once: 59.9996 s is 01:00.000.
    minutes, ms = divmod(round(max(0.0, seconds) * 1000), 60_000)
    return f"{minutes:02d}:{ms / 1000:06.3f}"


def names_of(videos: Mapping[str, str]) -> dict[str, str]:
    """Return a name for citations of each video by its id; no two are the same.

    Args:
        videos: name or address of each video, by its id.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for video_id, text in videos.items():
        name = plain = _plain_name(text) or "video"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name.casefold())
        found[video_id] = name
    return found


def mentioned(names: Mapping[str, str], text: str) -> tuple[dict[str, str], str]:
    """Return the videos that a text names, and the text without their names.

    Args:
        names: name of each video by its id. A name that is no plain word may be given without
            its file's ending: "kitchen" is a word, "kitchen-2" is a name.

    Returns:
        All videos and the text as it is if it names none.
    """
    found = {}
    rest = text
    for video_id, name in names.items():
        stem = name.rsplit(".", 1)[0]
        is_word = PLAIN_WORDS.fullmatch(stem) is not None
        if len(stem) < LEAST_NAME or (is_word and stem == name):
            continue
        ending = f"(?:{re.escape(name[len(stem) :])}){'' if is_word else '?'}"
        pattern = rf"(?<!\w){re.escape(stem)}{ending}(?!\w)"
        if re.search(pattern, text, re.IGNORECASE):
            found[video_id] = name
            rest = re.sub(pattern, " ", rest, flags=re.IGNORECASE)
    return (found, rest) if found else (dict(names), text)


def _plain_name(text: str) -> str:
    path = unquote(urlsplit(text).path) if "://" in text else text
    name = PurePosixPath(path.replace("\\", "/")).name or path
    # A name that ends like a time could not be told from the time.
    name = re.sub(r"[:\s]+", " ", data(name, NAME_CHARACTERS))
    return name.strip()


def videos_of(sightings: Iterable[Sighting]) -> tuple[str, ...]:
    """Return the ids of the videos of sightings, each once."""
    return tuple(dict.fromkeys(sighting.video_id for sighting in sightings))
