# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO's JSON: one track with a clip for each scene.

A time is a whole number of units and the units per second: frames at a constant frame rate,
otherwise ticks of the time base. The exact PTS stand in each clip's metadata as fractions.
"""

import json
from fractions import Fraction
from typing import Any

from trireel_client._timeline.timecode import frame_at
from trireel_client._timeline.timeline import Scene, Timeline

Json = dict[str, Any]


def otio(timeline: Timeline) -> str:
    """Return the scenes as an `.otio` file."""
    rate = timeline.rate
    per_second = 1 / timeline.time_base if rate is None or rate.is_variable else rate.fps
    media = {
        "OTIO_SCHEMA": "ExternalReference.1",
        "available_range": _range(Fraction(0), timeline.end, per_second),
        "metadata": {},
        "name": timeline.name,
        "target_url": timeline.url,
    }
    track = {
        **_item("Track.1", "scenes"),
        "children": [_clip(scene, media, per_second) for scene in timeline.scenes],
        "kind": "Video",
    }
    document = {
        "OTIO_SCHEMA": "Timeline.1",
        "global_start_time": None,
        "metadata": {},
        "name": timeline.name,
        "tracks": {**_item("Stack.1", "tracks"), "children": [track]},
    }
    return json.dumps(document, ensure_ascii=False, indent=4) + "\n"


def _clip(scene: Scene, media: Json, per_second: Fraction) -> Json:
    facts = {
        "start_seconds": str(scene.start),
        "end_seconds": str(scene.end),
        "begins_with": scene.kind,
        "tags": list(scene.tags),
        "caption": scene.caption,
    }
    return {
        **_item("Clip.1", scene.title),  # version 2 is read by OpenTimelineIO 0.15 and newer only
        "media_reference": media,
        "metadata": {"trireel": facts},
        "source_range": _range(scene.start, scene.end, per_second),
    }


def _item(schema: str, name: str) -> Json:
    return {
        "OTIO_SCHEMA": schema,
        "effects": [],
        "enabled": True,
        "markers": [],
        "metadata": {},
        "name": name,
        "source_range": None,
    }


def _range(start: Fraction, end: Fraction, per_second: Fraction) -> Json:
    first, last = frame_at(start, per_second), frame_at(end, per_second)
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": _time(last - first, per_second),
        "start_time": _time(first, per_second),
    }


def _time(units: int, per_second: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(per_second), "value": float(units)}
