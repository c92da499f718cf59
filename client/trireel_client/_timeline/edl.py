# SPDX-License-Identifier: Apache-2.0
"""CMX 3600 edit decision list: one event for each scene.

The format counts frames by SMPTE timecode and does not hold a frame rate. If frames do not follow
each other at a rate of timecode, the times are conformed to one, and a comment states both rates.
"""

from collections.abc import Iterator

from trireel_client._timeline.timecode import Timecode, frame_at, rate_text
from trireel_client._timeline.timeline import FrameRate, Scene, Timeline

REEL = "AX"  # a source that is not a tape


def edl(timeline: Timeline, rate: FrameRate, *, drop_frame: bool) -> str:
    """Return the scenes as an edit decision list.

    A scene without a frame of the conformed rate has no event.

    Raises:
        InvalidRequest: if the video is longer than timecode can count.
    """
    timecode = Timecode.of(rate, drop_frame=drop_frame)
    mode = "DROP FRAME" if timecode.drops_frames else "NON-DROP FRAME"
    lines = [f"TITLE: {timeline.name}", f"FCM: {mode}", ""]
    events = list(_events(timeline, timecode))
    for number, (scene, begin, end) in enumerate(events, 1):
        span = f"{timecode.text(begin)} {timecode.text(end)}"
        lines += [
            f"{number:03d}  {REEL:<8} V     C        {span} {span}",
            f"* FROM CLIP NAME: {timeline.name}",
            f"* COMMENT: {scene.title}",
        ]
        if scene.kind not in ("", "cut"):
            lines.append(f"* COMMENT: BEGINS WITH {scene.kind.upper()}")
        if number == 1:
            lines.append(f"* COMMENT: {_rate_comment(rate, timecode)}")
    return "\n".join(lines) + "\n"


def _events(timeline: Timeline, timecode: Timecode) -> Iterator[tuple[Scene, int, int]]:
    for scene in timeline.scenes:
        begin, end = frame_at(scene.start, timecode.fps), frame_at(scene.end, timecode.fps)
        if begin < end:
            yield scene, begin, end


def _rate_comment(rate: FrameRate, timecode: Timecode) -> str:
    fps = f"{rate_text(timecode.fps)} FPS"
    if rate.is_variable:
        return (
            f"CONFORMED TO {fps} FROM A VARIABLE FRAME RATE OF {rate_text(rate.fps)} FPS ON AVERAGE"
        )
    if rate.fps != timecode.fps:
        return f"CONFORMED TO {fps} FROM {rate_text(rate.fps)} FPS"
    return f"FRAME RATE {fps}"
