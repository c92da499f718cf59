# SPDX-License-Identifier: Apache-2.0
"""Single parts of a video's results, for readers that do not need all of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from trireel_app.errors import LibraryError
from trireel_app.library.library import ATTEMPTS, Library
from trireel_app.library.manifest import Entry, read_json
from trireel_app.library.storage import FileGone
from trireel_client import (
    Analysis,
    Caption,
    SceneChange,
    ScreenCaption,
    ServerInfo,
    Shot,
    Tag,
    Timing,
)

ANSWER = "answer.json"


def entry_and_file(library: Library, video_id: str, name: str) -> tuple[Entry, bytes] | None:
    """Return a video's entry and one file of its results; None if there is none of that name.

    Raises:
        LibraryError: if it cannot be read.
    """
    for attempt in range(ATTEMPTS):
        entry = library.entry(video_id)
        if entry is None or name not in entry.files:
            return None
        try:
            return entry, library.storage.read(f"{entry.folder}/{name}")
        except FileGone:  # replaced since its manifest was read
            if attempt == ATTEMPTS - 1:
                raise
    return None


def answer_of(data: bytes) -> dict[str, Any]:
    """Return the answer in the bytes of `answer.json`; raises LibraryError if it is damaged."""
    return read_json(ANSWER, data)


def facts_json(entry: Entry) -> dict[str, Any]:
    """Return what the library knows of a video, without its address: it may name other machines."""
    manifest = entry.facts.get("manifest") or {}
    return {
        "video_id": entry.video_id,
        "generation": entry.generation,
        "num_frames": entry.num_frames,
        "checkpoint": asdict(entry.checkpoint),
        "options": manifest.get("options") or {},
        "source": manifest.get("source") or {},
        "thumbnails": sum(name.startswith("thumbnails/") for name in entry.files),
    }


def result_json(entry: Entry, answer: bytes) -> bytes:
    """Return the whole answer with the library's facts beside it, as JSON.

    The answer is not parsed: it may have megabytes, and it was checked when it was written.

    Raises:
        LibraryError: if the answer is no JSON object.
    """
    text = answer.strip()
    if text[:1] != b"{" or text[-1:] != b"}":
        raise LibraryError(f"{entry.folder}/{ANSWER} is damaged")
    facts = json.dumps(facts_json(entry), ensure_ascii=False).encode()
    comma = b"" if text[1:-1].strip() == b"" else b","
    return b'{"library": ' + facts + comma + text[1:]


def scenes_of_answer(answer: Mapping[str, Any]) -> Analysis:
    """Return the part of an answer that says what its scenes and captions are, without chunks.

    Raises:
        LibraryError: if a field is missing or of another kind.
    """
    try:
        rate = answer.get("frame_rate")
        size = answer.get("picture_size_px")
        return Analysis(
            stream_id="",
            start_seconds=float(answer["start_seconds"]),
            duration_seconds=float(answer["duration_seconds"]),
            time_base=Fraction(*answer["time_base"]),
            stream_index=int(answer.get("stream_index") or 0),
            video_stream_indices=(),
            frame_rate=None if rate is None else Fraction(*rate),
            is_vfr=bool(answer.get("is_vfr")),
            picture_size_px=None if size is None else (int(size[0]), int(size[1])),
            decoder="",
            scene_changes=tuple(SceneChange(**found) for found in answer["scene_changes"]),
            shots=tuple(map(_shot, answer["shots"])),
            captions=tuple(map(_screen_caption, answer.get("captions") or ())),
            chunks=(),
            timing=Timing(0.0, 0.0, 0.0, 0.0, 0.0),
            embedding_dim=int(answer["embedding_dim"]),
            server=ServerInfo(**answer["server"]),
            client_ms=0.0,
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise LibraryError(f"{ANSWER} is damaged: {error!r}") from error


def _shot(found: Mapping[str, Any]) -> Shot:
    caption = found.get("caption")
    return Shot(
        start_seconds=found["start_seconds"],
        end_seconds=found["end_seconds"],
        tags=tuple(Tag(**tag) for tag in found.get("tags") or ()),
        caption=None if caption is None else Caption(**caption),
        representative_seconds=found["representative_seconds"],
    )


def _screen_caption(found: Mapping[str, Any]) -> ScreenCaption:
    return ScreenCaption(**{**found, "box": tuple(found["box"])})
