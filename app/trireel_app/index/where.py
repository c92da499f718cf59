# SPDX-License-Identifier: Apache-2.0
"""Conditions on the rows of the index, and their SQL. All quoting is here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class SceneKey(NamedTuple):
    """A scene of a video."""

    video_id: str
    """Id of the video."""
    scene_index: int
    """Index of the scene in the video."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Conditions on frames and scenes; all of them must hold."""

    videos: tuple[str, ...] = ()
    """Ids of videos, of which a row must be."""
    since_ns: int | None = None
    """Earliest time at which the video was indexed, in nanoseconds since 1970."""
    objects: tuple[str, ...] = ()
    """Labels of objects that are all seen at the same time."""
    on_screen: str | None = None
    """Text that is on the screen; upper and lower case are the same."""
    scenes: tuple[SceneKey, ...] = ()
    """Scenes of which a row must be."""

    @property
    def names_videos(self) -> bool:
        """True if the rows are those of a few videos."""
        return bool(self.videos or self.scenes)

    @property
    def is_empty(self) -> bool:
        """True if every row meets the conditions."""
        return self == Where()

    def sql(self) -> str:
        """Return the conditions as SQL, empty if there are none."""
        parts = []
        if self.videos:
            parts.append(f"video_id IN ({', '.join(map(quoted, self.videos))})")
        if self.since_ns is not None:
            parts.append(f"added_ns >= {self.since_ns}")
        if self.objects:
            labels = ", ".join(quoted(folded(label)) for label in self.objects)
            parts.append(f"array_has_all(objects, [{labels}])")
        if self.on_screen is not None:
            parts.append(f"strpos(on_screen, {quoted(folded(self.on_screen))}) > 0")
        if self.scenes:
            parts.append(_scenes(self.scenes))
        return " AND ".join(f"({part})" for part in parts)


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def folded(text: str) -> str:
    """Return a text as it is compared: small letters, runs of white space as one space."""
    return " ".join(text.casefold().split())


def _scenes(keys: Iterable[SceneKey]) -> str:
    by_video: dict[str, list[int]] = {}
    for key in keys:
        by_video.setdefault(key.video_id, []).append(int(key.scene_index))
    return " OR ".join(
        f"(video_id = {quoted(video_id)} AND scene_index IN ({', '.join(map(str, indices))}))"
        for video_id, indices in by_video.items()
    )
