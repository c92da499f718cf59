# SPDX-License-Identifier: Apache-2.0
"""From an analysis to a timeline: exact fractions instead of floats, and one line for each text."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path, PurePath
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import Shot
from trireel_client._results import Analysis
from trireel_client._sources import is_uri
from trireel_client._timeline.shots import shots_of
from trireel_client._timeline.timeline import FrameRate, Scene, Timeline

# A float of a PTS differs from its fraction by rounding alone, far less than any unit of time.
TOLERANCE_SECONDS = Fraction(1, 10**6)
TAGS_IN_TITLE = 3
PATH_CHARACTERS = "/:@!$&'()*+,;=~"  # those that the path of a URI may hold as they are


@dataclass(frozen=True)
class Media:
    """The name of a video's file, and its URL."""

    name: str
    url: str

    @classmethod
    def of(cls, video: str, *, on_server: bool = False) -> "Media":
        """Return the media of a URI, a file of this machine, or a path on the server.

        Of a URI the user, the query and the fragment are left out: they may hold credentials.
        """
        if is_uri(video):
            parts = urlsplit(video)
            path = quote(unquote(parts.path), safe=PATH_CHARACTERS)
            url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
            return cls(one_line(PurePath(unquote(parts.path)).name or parts.netloc), url)
        name = one_line(PurePath(video).name or video)
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
    bounds = _bounds(analysis, shots)
    kinds = {change.timestamp_seconds: change.kind for change in analysis.scene_changes}
    scenes = tuple(
        _scene(shot, span, number, kinds.get(shot.start_seconds, ""))
        for number, (shot, span) in enumerate(zip(shots, pairwise(bounds), strict=True), 1)
    )
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


def _bounds(analysis: Analysis, shots: Sequence[Shot]) -> Sequence[Fraction]:
    """Return the begin of each scene and the end of the last, from the first frame on.

    Raises:
        UnexpectedAnswer: if a scene does not begin at a PTS, or the scenes do not join.
    """
    for shot, following in pairwise(shots):
        if abs(shot.end_seconds - following.start_seconds) > TOLERANCE_SECONDS:
            raise UnexpectedAnswer(
                f"the answer has a scene that ends at {shot.end_seconds} s, and the next begins at"
                f" {following.start_seconds} s"
            )
    unit = analysis.time_base
    start = nearest_tick(analysis.start_seconds, unit)
    # A video may begin and end between two ticks, and so may its last chunk, by its container.
    first = nearest_tick(shots[0].start_seconds, unit)
    begins = [exact_seconds(shot.start_seconds, unit) for shot in shots[1:]]
    last = nearest_tick(shots[-1].end_seconds, unit)
    bounds = [bound - start for bound in (first, *begins, last)]
    for begin, end in pairwise(bounds):
        if begin >= end:
            raise UnexpectedAnswer(f"the answer has an empty scene at {float(begin + start)} s")
    return bounds


def _scene(shot: Shot, span: tuple[Fraction, Fraction], number: int, kind: str) -> Scene:
    tags = tuple(filter(None, (one_line(tag.text) for tag in shot.tags)))
    caption = "" if shot.caption is None else one_line(shot.caption.text)
    return Scene(
        start=span[0],
        end=span[1],
        title=caption or ", ".join(tags[:TAGS_IN_TITLE]) or f"Scene {number}",
        kind=one_line(kind),
        tags=tags,
        caption=caption,
    )
