# SPDX-License-Identifier: Apache-2.0
"""`manifest.json` of a video: what it is, how its results were made, and which files hold them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trireel_app.errors import LibraryError
from trireel_app.library.records import Checkpoint, VideoRecord

FORMAT_VERSION = 1
GENERATION_DIGITS = 16
VIDEOS = "videos"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A video of the library, without its results."""

    video_id: str
    """Id of the video."""
    uri: str
    """Address of the video, without credentials."""
    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """Length of the video."""
    num_frames: int
    """Number of frames that have embeddings."""
    checkpoint: Checkpoint
    """Checkpoint that made the embeddings."""
    generation: str
    """Hash of the results: it changes if the video is analysed again with other results."""
    files: Mapping[str, str]
    """SHA-256 of each file of the results, by its name."""
    facts: Mapping[str, Any]
    """Further facts about how the results were made."""

    @property
    def folder(self) -> str:
        """Name of the folder of the results, relative to the library."""
        return f"{VIDEOS}/{self.video_id}/{self.generation}"

    def thumbnail(self, scene_index: int) -> str:
        """Return the name of a scene's picture, relative to the library; empty if there is none."""
        name = thumbnail_name(scene_index)
        return f"{self.folder}/{name}" if name in self.files else ""


def thumbnail_name(scene_index: int) -> str:
    """Return the name of a scene's picture among the files of the results."""
    return f"thumbnails/{scene_index:04d}.jpg"


def entry_of(record: VideoRecord, files: Mapping[str, bytes]) -> Entry:
    """Return the entry of a record, whose files are given by their names."""
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    together = json.dumps(hashes).encode()
    return Entry(
        video_id=record.video_id,
        uri=record.uri,
        start_seconds=record.start_seconds,
        duration_seconds=record.duration_seconds,
        num_frames=len(record.frames.pts),
        checkpoint=record.checkpoint,
        generation=hashlib.sha256(together).hexdigest()[:GENERATION_DIGITS],
        files=hashes,
        facts=dict(record.facts),
    )


def written(entry: Entry) -> bytes:
    """Return an entry as JSON."""
    return as_json({"format_version": FORMAT_VERSION, **asdict(entry)})


def read_entry(name: str, data: bytes) -> Entry:
    """Return the entry of a manifest; raises LibraryError if it cannot be used."""
    values = read_json(name, data)
    try:
        return Entry(**{**values, "checkpoint": Checkpoint(**values["checkpoint"])})
    except (KeyError, TypeError) as error:
        raise LibraryError(f"{name} is damaged: {error}") from error


def as_json(values: Mapping[str, Any]) -> bytes:
    """Return values as JSON that is the same for the same values."""
    return (json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def read_json(name: str, data: bytes) -> dict[str, Any]:
    """Return the values of a file of the library, without its version.

    Raises:
        LibraryError: if it is no JSON object, or has another version.
    """
    try:
        values = json.loads(data)
        version = values.pop("format_version")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LibraryError(f"{name} is damaged: {error!r}") from error
    if version != FORMAT_VERSION:
        raise LibraryError(
            f"{name} has version {version!r}, and this Trireel reads version {FORMAT_VERSION}:"
            " use the Trireel that wrote it, or index the videos again"
        )
    return dict(values)
