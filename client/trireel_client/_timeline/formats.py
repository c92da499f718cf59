# SPDX-License-Identifier: Apache-2.0
"""The formats by the suffix of their files."""

from collections.abc import Callable, Mapping
from pathlib import Path

from trireel_client._errors import InvalidRequest, Unsupported
from trireel_client._timeline.cues import scene_cues
from trireel_client._timeline.edl import edl
from trireel_client._timeline.fcpxml import fcpxml
from trireel_client._timeline.otio import otio
from trireel_client._timeline.scene_list import scene_list
from trireel_client._timeline.srt import srt
from trireel_client._timeline.timeline import FrameRate, Timeline
from trireel_client._timeline.webvtt import webvtt

Writer = Callable[[Timeline, bool], str]
"""Returns a file's text; the flag chooses drop-frame timecode if the frame rate has it."""


FORMATS: Mapping[str, Writer] = {
    ".vtt": lambda timeline, drop_frame: webvtt(scene_cues(timeline)),
    ".srt": lambda timeline, drop_frame: srt(scene_cues(timeline)),
    ".csv": lambda timeline, drop_frame: scene_list(timeline, _rate(timeline).fps),
    ".edl": lambda timeline, drop_frame: edl(timeline, _rate(timeline), drop_frame=drop_frame),
    ".fcpxml": lambda timeline, drop_frame: fcpxml(
        timeline, _rate(timeline), drop_frame=drop_frame
    ),
    ".otio": lambda timeline, drop_frame: otio(timeline),
}
"""The writer of each format."""


def checked_suffix(path: Path) -> str:
    """Return the suffix of an export; raises InvalidRequest if no format has it."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InvalidRequest(f"{path.name!r} is no export: give a name in {', '.join(FORMATS)}")
    return suffix


def exported(timeline: Timeline, suffix: str, *, drop_frame: bool) -> bytes:
    """Return the bytes of an export; the same timeline always gives the same bytes.

    Raises:
        Unsupported: if the format needs the frame rate, and the server did not report it.
        InvalidRequest: if the format cannot hold the timeline.
    """
    return FORMATS[suffix](timeline, drop_frame).encode()


def _rate(timeline: Timeline) -> FrameRate:
    if timeline.rate is None:
        raise Unsupported(
            "the server does not report the frame rate of this video, which this format needs:"
            " export .vtt, .srt or .otio, or update the server"
        )
    return timeline.rate
