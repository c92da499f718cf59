# SPDX-License-Identifier: Apache-2.0
"""FCPXML 1.10: one asset, and a sequence with a clip of it for each scene.

Times are fractions of a second. At a constant frame rate they are multiples of a frame's duration;
at a variable one they are the frames' own PTS.
"""

from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from trireel_client._timeline.timecode import DROP_FRAME_RATES, Timecode, frame_at
from trireel_client._timeline.timeline import FrameRate, Scene, Timeline

FORMAT, ASSET = "r1", "r2"


def fcpxml(timeline: Timeline, rate: FrameRate, *, drop_frame: bool) -> str:
    """Return the scenes as FCPXML 1.10."""
    sequence_fps = Timecode.of(rate, drop_frame=drop_frame).fps if rate.is_variable else rate.fps
    unit = _Unit(timeline, rate)
    drops = drop_frame and sequence_fps in DROP_FRAME_RATES
    count = {"tcFormat": "DF" if drops else "NDF"}
    span = {"start": unit.text(Fraction(0)), "duration": unit.text(timeline.end)}
    name = {"name": timeline.name}
    asset = {"id": ASSET, **name, **span, "hasVideo": "1", "format": FORMAT}
    sequence = {"format": FORMAT, "duration": span["duration"], "tcStart": "0s", **count}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<!DOCTYPE fcpxml>",
        '<fcpxml version="1.10">',
        "  <resources>",
        f"    <format{_attributes(_format(timeline, sequence_fps))}/>",
        f"    <asset{_attributes(asset)}>",
        f"      <media-rep{_attributes({'kind': 'original-media', 'src': timeline.url})}/>",
        "    </asset>",
        "  </resources>",
        f"  <event{_attributes(name)}>",
        f"    <project{_attributes(name)}>",
        f"      <sequence{_attributes(sequence)}>",
        "        <spine>",
    ]
    for scene in timeline.scenes:
        lines += _clip(scene, unit, count)
    lines += ["        </spine>", "      </sequence>", "    </project>", "  </event>", "</fcpxml>"]
    return "\n".join(lines) + "\n"


class _Unit:
    """The unit of all times: a frame of a constant rate, otherwise the time base."""

    def __init__(self, timeline: Timeline, rate: FrameRate) -> None:
        self._per_second = 1 / timeline.time_base if rate.is_variable else rate.fps

    def text(self, seconds: Fraction) -> str:
        """Return a time as a multiple of the unit."""
        units = frame_at(seconds, self._per_second)
        if units == 0:
            return "0s"
        return f"{units * self._per_second.denominator}/{self._per_second.numerator}s"

    def length(self, scene: Scene) -> str:
        """Return the length of a scene, so that it ends at the begin of the next scene."""
        begin = frame_at(scene.start, self._per_second)
        return self.text((frame_at(scene.end, self._per_second) - begin) / self._per_second)


def _format(timeline: Timeline, fps: Fraction) -> dict[str, str]:
    attributes = {"id": FORMAT, "frameDuration": f"{fps.denominator}/{fps.numerator}s"}
    if timeline.size_px is not None:
        width_px, height_px = timeline.size_px
        attributes |= {"width": str(width_px), "height": str(height_px)}
    return attributes


def _clip(scene: Scene, unit: _Unit, count: dict[str, str]) -> list[str]:
    start = unit.text(scene.start)
    attributes = {
        "ref": ASSET,
        "offset": start,
        "name": scene.title,
        "start": start,
        "duration": unit.length(scene),
        **count,
    }
    note = "; ".join(filter(None, [scene.kind, scene.caption, ", ".join(scene.tags)]))
    if not note:
        return [f"          <asset-clip{_attributes(attributes)}/>"]
    return [
        f"          <asset-clip{_attributes(attributes)}>",
        f"            <note>{escape(note)}</note>",
        "          </asset-clip>",
    ]


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
