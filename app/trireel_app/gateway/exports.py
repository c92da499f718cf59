# SPDX-License-Identifier: Apache-2.0
"""The scenes and captions of a video as files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from trireel_app.gateway.failures import NotFound
from trireel_app.library.read import answer_of, scenes_of_answer
from trireel_client import Analysis
from trireel_client._timeline.build import Media, one_line, timeline_of
from trireel_client._timeline.cues import caption_cues, scene_cues
from trireel_client._timeline.formats import exported
from trireel_client._timeline.srt import srt
from trireel_client._timeline.webvtt import webvtt

JSON = "application/json"
MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".edl": "text/plain; charset=utf-8",
    ".fcpxml": "application/octet-stream",
    ".json": JSON,
    ".otio": JSON,
    ".srt": "application/x-subrip; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
}


@dataclass(frozen=True)
class Export:
    """A file that is made of a video's results."""

    name: str
    """Name of the file."""
    media_type: str
    """Its type."""
    data: bytes
    """Its bytes."""


def export(name: str, video_name: str, answer: bytes) -> Export:
    """Return an export of a video.

    Args:
        name: `scenes` with the suffix .csv, .edl, .fcpxml, .otio, .srt or .vtt; `captions` with
            .srt or .vtt; `objects.json` or `analysis.json`.
        video_name: name of the video, which some formats refer to.
        answer: bytes of the answer that the library keeps.

    Raises:
        NotFound: if there is no such export, or the video has no such results.
        InvalidRequest: if the format cannot hold the scenes.
        LibraryError: if the answer is damaged.
    """
    writer = WRITERS.get(name)
    if writer is None:
        raise NotFound(f"there is no such export: the exports are {', '.join(WRITERS)}")
    path = PurePosixPath(name)
    stem = one_line(PurePosixPath(video_name).stem).replace("/", "_") or "video"
    data = writer(answer, one_line(video_name), path.suffix)
    return Export(f"{stem}.{path.name}", MEDIA_TYPES[path.suffix], data)


def _scenes(answer: bytes, video_name: str, suffix: str) -> bytes:
    analysis = _analysis(answer)
    timeline = timeline_of(analysis, Media(video_name, quote(video_name)))
    return exported(timeline, suffix, drop_frame=True)


def _captions(answer: bytes, video_name: str, suffix: str) -> bytes:
    """Return the captions in the picture if there are any, otherwise those of the scenes."""
    analysis = _analysis(answer)
    if analysis.captions:
        cues = caption_cues(analysis.captions, analysis.start_seconds, analysis.time_base)
    else:
        cues = scene_cues(timeline_of(analysis, Media(video_name, quote(video_name))))
    return (srt if suffix == ".srt" else webvtt)(cues).encode()


def _objects(answer: bytes, video_name: str, suffix: str) -> bytes:
    objects = answer_of(answer).get("objects")
    if objects is None:
        raise NotFound("the video was analysed without objects")
    return _as_json(objects)


def _whole(answer: bytes, video_name: str, suffix: str) -> bytes:
    return _as_json(answer_of(answer))


def _analysis(answer: bytes) -> Analysis:
    values = answer_of(answer)
    if not values.get("shots"):
        raise NotFound("the video was analysed without scenes")
    return scenes_of_answer(values)


def _as_json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


WRITERS: Mapping[str, Callable[[bytes, str, str], bytes]] = {
    **{f"scenes.{end}": _scenes for end in ("csv", "edl", "fcpxml", "otio", "srt", "vtt")},
    "captions.srt": _captions,
    "captions.vtt": _captions,
    "objects.json": _objects,
    "analysis.json": _whole,
}
