# SPDX-License-Identifier: Apache-2.0
"""SubRip: the title of each scene as a subtitle."""

from trireel_client._timeline.timecode import clock_text
from trireel_client._timeline.timeline import Timeline


def srt(timeline: Timeline) -> str:
    """Return the scenes as SubRip, which has no escapes: texts are written as they are."""
    subtitles = [
        f"{number}\n{clock_text(scene.start, ',')} --> {clock_text(scene.end, ',')}\n"
        f"{scene.title}\n"
        for number, scene in enumerate(timeline.scenes, 1)
    ]
    return "\n".join(subtitles)
