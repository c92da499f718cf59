# SPDX-License-Identifier: Apache-2.0
"""CSV with the columns of PySceneDetect's scene list, so that its users' scripts read it.

Frames are counted from 1, and a scene's end frame is its last frame. The numbers of a video with a
variable frame rate are those of its average rate, as in PySceneDetect.
"""

import csv
import io
from collections.abc import Iterator
from fractions import Fraction

from trireel_client._timeline.timecode import clock_text, frame_at, milliseconds
from trireel_client._timeline.timeline import Scene, Timeline

COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
)


def scene_list(timeline: Timeline, fps: Fraction) -> str:
    """Return the scenes as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    cuts = (clock_text(scene.start, ".") for scene in timeline.scenes[1:])
    writer.writerow(["Timecode List:", *cuts])
    writer.writerow(COLUMNS)
    for number, scene in enumerate(timeline.scenes, 1):
        writer.writerow([number, *_cells(scene, fps)])
    return file.getvalue()


def _cells(scene: Scene, fps: Fraction) -> Iterator[str]:
    first, end = frame_at(scene.start, fps), frame_at(scene.end, fps)
    times = (scene.start, scene.end, scene.end - scene.start)
    length = frame_at(scene.end - scene.start, fps)
    for frame, seconds in zip((first + 1, end, length), times, strict=True):
        yield str(frame)
        yield clock_text(seconds, ".")
        whole_seconds, ms = divmod(milliseconds(seconds), 1000)
        yield f"{whole_seconds}.{ms:03d}"
