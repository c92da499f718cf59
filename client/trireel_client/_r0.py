# SPDX-License-Identifier: Apache-2.0
"""An answer's JSON under the names of the pipeline that Trireel replaces."""

from collections.abc import Mapping
from typing import Any

_VIDEO = {
    "caption": "retrieval_caption",
    "start_seconds": "video_start",
    "duration_seconds": "video_duration",
}
_CHUNK = {
    "index": "chunk_index",
    "start_seconds": "start_time",
    "duration_seconds": "duration",
    "caption": "retrieval_caption",
    "frame_timestamps_seconds": "frame_timestamps",
}
_CHANGE = {"timestamp_seconds": "timestamp", "begin_seconds": "begin", "end_seconds": "end"}
_TIMING = {
    "fetch_ms": "s3_download",
    "extract_ms": "decode_video",
    "encode_ms": "encode",
    "decode_ms": "decode",
    "total_ms": "total",
}
_IF_REQUESTED = ("scene_mode", "scene_signals", "quality", "objects", "descriptions", "summary")
"""Fields that are left out if they were not requested."""


def in_r0_names(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of `Analysis.to_json_dict` with other names and the same values."""
    renamed = _renamed(answer, _VIDEO)
    del renamed["schema_version"]
    for name in _IF_REQUESTED:
        if not renamed[name]:
            del renamed[name]
    renamed["timing_ms"] = _renamed(renamed.pop("timing"), _TIMING)
    renamed["scene_changes"] = _changes(answer)
    renamed["chunks"] = [_chunk(chunk) for chunk in answer["chunks"]]
    return renamed


def _chunk(chunk: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {**_renamed(chunk, _CHUNK), "scene_changes": _changes(chunk)}
    if renamed["quality"] is None:
        del renamed["quality"]
    return renamed


def _changes(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_renamed(change, _CHANGE) for change in part["scene_changes"]]


def _renamed(part: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in part.items()}
