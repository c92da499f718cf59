# SPDX-License-Identifier: Apache-2.0
"""WebVTT: one cue for each text, as the `track` element of a web page reads them."""

from collections.abc import Sequence

from trireel_client._timeline.cues import Cue
from trireel_client._timeline.timecode import clock_text

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def webvtt(cues: Sequence[Cue]) -> str:
    """Return texts as WebVTT."""
    blocks = [
        f"{number}\n{clock_text(cue.start, '.')} --> {clock_text(cue.end, '.')}\n"
        f"{cue.text.translate(ESCAPES)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(["WEBVTT\n", *blocks])
