# SPDX-License-Identifier: Apache-2.0
"""Texts with their times, of which subtitles are made: one for each scene, or each caption."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from trireel_client._findings import ScreenCaption
from trireel_client._timeline.build import nearest_tick, one_line
from trireel_client._timeline.timeline import Timeline


@dataclass(frozen=True)
class Cue:
    """A text and when it is shown, in exact seconds from the video's first frame."""

    start: Fraction
    """Begin of the text."""
    end: Fraction
    """End of the text."""
    text: str
    """Text of one line or more, none of them blank."""


def scene_cues(timeline: Timeline) -> list[Cue]:
    """Return the title of each scene."""
    return [Cue(scene.start, scene.end, scene.title) for scene in timeline.scenes]


def caption_cues(
    captions: Iterable[ScreenCaption], start_seconds: float, time_base: Fraction
) -> list[Cue]:
    """Return the captions in the order of their begins, without those that hold no text.

    Args:
        start_seconds: PTS of the video's first frame.
        time_base: unit of PTS in seconds.
    """
    first = nearest_tick(start_seconds, time_base)
    cues = [
        Cue(
            caption.first_frame_pts * time_base - first,
            nearest_tick(caption.end_seconds, time_base) - first,
            text,
        )
        for caption in captions
        if (text := _lines(caption.text))
    ]
    return sorted(cues, key=lambda cue: (cue.start, cue.end))


def _lines(text: str) -> str:
    """Return a text without blank lines, which would end a subtitle."""
    lines = map(one_line, re.split(r"\r\n|[\n\r\u2028\u2029]", text))
    return "\n".join(line for line in lines if line)
