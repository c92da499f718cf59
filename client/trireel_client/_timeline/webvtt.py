# SPDX-License-Identifier: Apache-2.0
"""WebVTT chapters: one cue for each scene, as the `track` element of a web page reads them."""

from trireel_client._timeline.timecode import clock_text
from trireel_client._timeline.timeline import Timeline

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def webvtt(timeline: Timeline) -> str:
    """Return the scenes as WebVTT."""
    cues = [
        f"{number}\n{clock_text(scene.start, '.')} --> {clock_text(scene.end, '.')}\n"
        f"{scene.title.translate(ESCAPES)}\n"
        for number, scene in enumerate(timeline.scenes, 1)
    ]
    return "\n".join(["WEBVTT\n", *cues])
