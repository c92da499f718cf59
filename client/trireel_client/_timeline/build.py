# SPDX-License-Identifier: Apache-2.0
"""From an analysis to a timeline: exact fractions instead of floats, and one line for each text."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path, PurePath
from urllib.parse import quote

from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import Shot
from trireel_client._results import Analysis
from trireel_client._sources import is_uri
from trireel_client._timeline.shots import shots_of
from trireel_client._timeline.timeline import FrameRate, Scene, Timeline

# A float of a PTS differs from its fraction by rounding alone, far less than any unit of time.
TOLERANCE_SECONDS = Fraction(1, 10**6)
TAGS_IN_TITLE = 3
URL_CHARACTERS = "/:?#[]@!$&'()*+,;=%~"  # those that a URI may hold beside letters and digits


@dataclass(frozen=True)
class Media:
    """The name of a video's file, and its URL."""

    name: str
    url: str

    @classmethod
    def of(cls, video: str, *, on_server: bool = False) -> "Media":
        """Return the media of a URI, a file of this machine, or a path on the server."""
        name = one_line(PurePath(video).name or video)
        if is_uri(video):
            return cls(name, quote(video, safe=URL_CHARACTERS))
        if on_server:
            return cls(name, quote(os.fsencode(video)))
        return cls(name, Path(video).resolve().as_uri())


def timeline_of(analysis: Analysis, media: Media) -> Timeline:
    """Return the timeline of an analysis.

    Raises:
        InvalidRequest: if scenes were not requested.
        UnexpectedAnswer: if a time of the scenes is not a PTS, or the scenes do not join.
    """
    shots = shots_of(analysis)
    clock = _Clock(analysis)
    kinds = {change.timestamp_seconds: change.kind for change in analysis.scene_changes}
    scenes = tuple(
        _scene(clock, shot, number, kinds.get(shot.start_seconds, ""))
        for number, shot in enumerate(shots, 1)
    )
    _check_joined(scenes)
    rate = analysis.frame_rate
    return Timeline(
        name=media.name,
        url=media.url,
        time_base=analysis.time_base,
        rate=None if rate is None else FrameRate(rate, analysis.is_vfr),
        size_px=analysis.picture_size_px,
        scenes=scenes,
    )


def exact_seconds(seconds: float, time_base: Fraction) -> Fraction:
    """Return the PTS whose float is `seconds`.

    Raises:
        UnexpectedAnswer: if no multiple of the time base is that close.
    """
    exact = nearest_tick(seconds, time_base)
    if abs(exact - Fraction(seconds)) > min(TOLERANCE_SECONDS, time_base / 4):
        raise UnexpectedAnswer(
            f"the answer has a scene at {seconds} s, which is no PTS: the time base is {time_base}"
        )
    return exact


def nearest_tick(seconds: float, time_base: Fraction) -> Fraction:
    """Return the multiple of the time base that is nearest to a time."""
    return round(Fraction(seconds) / time_base) * time_base


def one_line(text: str) -> str:
    """Return a text as one line that every format can hold.

    Control characters and line breaks become spaces; bytes that are not UTF-8 become `?`.
    """
    text = text.encode(errors="replace").decode()
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]", " ", text).split())


class _Clock:
    """Exact times from the video's first frame on."""

    def __init__(self, analysis: Analysis) -> None:
        self._time_base = analysis.time_base
        self._start = nearest_tick(analysis.start_seconds, analysis.time_base)
        self._end_seconds = analysis.start_seconds + analysis.duration_seconds
        self._first_seconds = analysis.start_seconds

    def since_start(self, seconds: float) -> Fraction:
        # A container states the video's start and end in units of its own.
        if abs(seconds - self._end_seconds) < TOLERANCE_SECONDS:
            return nearest_tick(seconds, self._time_base) - self._start
        if abs(seconds - self._first_seconds) < TOLERANCE_SECONDS:
            return Fraction(0)
        return exact_seconds(seconds, self._time_base) - self._start


def _scene(clock: _Clock, shot: Shot, number: int, kind: str) -> Scene:
    tags = tuple(filter(None, (one_line(tag.text) for tag in shot.tags)))
    caption = "" if shot.caption is None else one_line(shot.caption.text)
    return Scene(
        start=clock.since_start(shot.start_seconds),
        end=clock.since_start(shot.end_seconds),
        title=caption or ", ".join(tags[:TAGS_IN_TITLE]) or f"Scene {number}",
        kind=one_line(kind),
        tags=tags,
        caption=caption,
    )


def _check_joined(scenes: Iterable[Scene]) -> None:
    scenes = tuple(scenes)
    for scene in scenes:
        if scene.end <= scene.start:
            raise UnexpectedAnswer(f"the answer has an empty scene at {float(scene.start)} s")
    for scene, following in pairwise(scenes):
        if scene.end != following.start:
            raise UnexpectedAnswer(
                f"the answer has a scene that ends at {float(scene.end)} s, and the next begins at"
                f" {float(following.start)} s"
            )
