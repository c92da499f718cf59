# SPDX-License-Identifier: Apache-2.0
"""Citations `[NAME mm:ss.mmm]` in a model's answer, each checked against what the model was given.

A citation that names another video, or a time that no sighting holds, is taken out and reported.
The answer is read piece by piece, so that a reader sees nothing that was not checked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trireel_app.chat.plain_text import data, harmless
from trireel_app.chat.sightings import Sighting, cited

LONGEST_CITATION = 200
MOST_REMOVED = 50  # that are reported
TOLERANCE_SECONDS = 0.001  # of a time in milliseconds
CLOCK = r"(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,4}):(?P<seconds>[0-5]\d)(?P<ms>\.\d{1,3})?"
CITATION = re.compile(rf"^\s*(?:(?P<name>.*\S)\s+)?{CLOCK}\s*$")
TIME = re.compile(r"\d:\d\d")


@dataclass(frozen=True)
class Citation:
    """A place in a video that an answer cites."""

    video: str
    """Id of the video."""
    name: str
    """Name of the video in the answer."""
    start_seconds: float
    """PTS at which the cited stretch begins."""
    end_seconds: float
    """PTS at which the cited stretch ends."""
    at_seconds: float
    """PTS that the answer names."""
    text: str
    """The citation as it stands in the answer."""


def citation_of(sighting: Sighting, at_seconds: float | None = None) -> Citation:
    """Return the citation of a sighting at a time, or at its best frame."""
    seconds = sighting.at_seconds if at_seconds is None else at_seconds
    # The picture that stands for a scene may lie outside the stretch that fits.
    is_inside = sighting.start_seconds <= seconds <= sighting.end_seconds
    start, end = (sighting.start_seconds, sighting.end_seconds) if is_inside else (seconds, seconds)
    text = cited(sighting.name, seconds)
    return Citation(sighting.video_id, sighting.name, start, end, seconds, text)


class CheckedText:
    """An answer that is checked while it comes."""

    def __init__(self, sightings: Sequence[Sighting]) -> None:
        """Take the sightings that the model was given, which alone can be cited."""
        self._sightings = sightings
        self._held = ""
        self._citations: dict[str, Citation] = {}
        self._removed: list[str] = []

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Citations so far, each once, in the order of the answer."""
        return tuple(self._citations.values())

    @property
    def removed(self) -> tuple[str, ...]:
        """Citations that were taken out so far."""
        return tuple(self._removed)

    def add(self, piece: str) -> str:
        """Take a piece of the answer; return the text that is checked by now."""
        self._held += piece
        return "".join(self._checked(is_last=False))

    def end(self) -> str:
        """Return the rest of the text."""
        return "".join(self._checked(is_last=True))

    def _checked(self, *, is_last: bool) -> Iterator[str]:
        while self._held:
            before, bracket, rest = self._held.partition("[")
            if not bracket:
                # The last word may go on, and turn out to be a link.
                length = len(before) if is_last else _end_of_words(before)
                self._held = before[length:]
                yield harmless(before[:length])
                return
            inner, closing, after = rest.partition("]")
            if len(inner) > LONGEST_CITATION or "[" in inner or "\n" in inner:
                self._held = rest
                yield f"{harmless(before)}("
            elif closing:
                self._held = after
                yield from self._bracketed(before, inner)
            elif is_last:
                self._held = ""
                yield f"{harmless(before)}({harmless(inner)}"
            else:
                return

    def _bracketed(self, before: str, inner: str) -> Iterator[str]:
        found = self._found(inner)
        if found:
            self._citations.update((citation.text, citation) for citation in found)
            yield harmless(before)
            yield " ".join(citation.text for citation in found)
        elif TIME.search(inner):
            if len(self._removed) < MOST_REMOVED:
                self._removed.append(f"[{data(inner, LONGEST_CITATION)}]")
            yield harmless(before.rstrip(" "))
        else:
            yield f"{harmless(before)}({harmless(inner)})"

    def _found(self, inner: str) -> list[Citation]:
        """Return the citations in a bracket: one, or several of which each is right."""
        if one := self._citation(inner):
            return [one]
        parts = re.split(r"[;,]", inner)
        several = [self._citation(part) for part in parts]
        right = [citation for citation in several if citation]
        return right if len(right) == len(parts) else []

    def _citation(self, inner: str) -> Citation | None:
        match = CITATION.match(inner)
        if match is None:
            return None
        whole = 60 * int(match["minutes"]) + int(match["seconds"])
        seconds = 3600 * int(match["hours"] or 0) + whole + float(match["ms"] or 0)
        # A time without milliseconds stands for its whole second.
        tolerance = TOLERANCE_SECONDS if match["ms"] else 1.0
        right = [
            sighting
            for sighting in self._of_name(match["name"])
            if sighting.holds(seconds, tolerance)
        ]
        if not right:
            return None
        best = min(right, key=lambda sighting: abs(sighting.at_seconds - seconds))
        if not match["ms"]:
            return citation_of(best)
        return citation_of(best, _clamped(best, seconds))

    def _of_name(self, name: str | None) -> list[Sighting]:
        if name is None:  # clear if there is one video
            one = len({sighting.video_id for sighting in self._sightings}) == 1
            return list(self._sightings) if one else []
        wanted = _comparable(name)
        return [sighting for sighting in self._sightings if _comparable(sighting.name) == wanted]


def _clamped(sighting: Sighting, seconds: float) -> float:
    """Return a time within a stretch: one in milliseconds may lie a rounding outside."""
    inside = min(max(seconds, sighting.start_seconds), sighting.end_seconds)
    return inside if abs(inside - seconds) <= TOLERANCE_SECONDS else seconds


def _comparable(name: str) -> str:
    return " ".join(name.casefold().split())


def _end_of_words(text: str) -> int:
    """Return the position behind the last word that has ended, before the white space there.

    The space goes with a citation that is taken out.
    """
    last_word = text.rstrip()
    if len(last_word) == len(text):
        last_word = re.sub(r"\S+$", "", text).rstrip()
    return len(last_word)
