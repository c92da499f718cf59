# SPDX-License-Identifier: Apache-2.0
"""SubRip: each text as a subtitle."""

from collections.abc import Sequence

from trireel_client._timeline.cues import Cue
from trireel_client._timeline.timecode import clock_text


def srt(cues: Sequence[Cue]) -> str:
    """Return texts as SubRip, which has no escapes: texts are written as they are."""
    subtitles = [
        f"{number}\n{clock_text(cue.start, ',')} --> {clock_text(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(subtitles)
