# SPDX-License-Identifier: Apache-2.0
"""One video's clips on their way to a place, and the manifest that makes them complete."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from trireel_client._captions import CaptionReport, Clip, Region
from trireel_client._clips.folder import Folder
from trireel_client._clips.place import JSON_TYPE, MANIFEST, WEBM_TYPE, File, Place, clip_name
from trireel_client._clips.s3 import SCHEME, Bucket
from trireel_client._errors import ClipsNotWritten, UnexpectedAnswer
from trireel_client._json import plain

MANIFEST_SCHEMA_VERSION = 1
"""Version of the manifest; a field that changes its meaning or goes raises it."""


@dataclass(frozen=True, kw_only=True)
class WrittenClip:
    """One clip in its place."""

    index: int
    """Position of the clip in the video, from 0."""
    name: str
    """File name in the place."""
    start_seconds: float
    """PTS of the clip's first frame."""
    end_seconds: float
    """PTS at which the clip ends."""
    num_frames: int
    """Number of frames in the clip."""
    size_bytes: int
    """Length of the file."""
    sha256: str
    """SHA-256 of the file in hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class ClipManifest:
    """All clips of a video; it is written last, so a place with a manifest is complete."""

    schema_version: int = MANIFEST_SCHEMA_VERSION
    """Version of this record's JSON."""
    video: str
    """The caller's name for the video."""
    region: Region
    """Region of the picture in the clips."""
    time_base: Fraction
    """The stream's unit of time in seconds; clips themselves count milliseconds."""
    start_seconds: float
    """PTS of the video's first frame."""
    duration_seconds: float
    """Length of the video."""
    is_complete: bool
    """False if the video's file was cut off."""
    num_frames: int
    """Number of frames in all clips."""
    clips: tuple[WrittenClip, ...]
    """The clips in order."""


class ClipWriter:
    """Writes clips as they come; `finish` writes the manifest."""

    def __init__(self, place: Place) -> None:
        self.place = place.name
        """Path or URI of the place."""
        self.is_finished = False
        """True after `finish`."""
        self._place = place
        self._clips: dict[int, WrittenClip] = {}

    @property
    def num_clips(self) -> int:
        """Number of clips so far."""
        return len(self._clips)

    def add(self, clip: Clip) -> None:
        """Write a clip, or begin to; raises ClipsNotWritten."""
        name = clip_name(clip.index)
        self._place.put(File(name, clip.data, WEBM_TYPE))
        self._clips[clip.index] = WrittenClip(
            index=clip.index,
            name=name,
            start_seconds=clip.start_seconds,
            end_seconds=clip.end_seconds,
            num_frames=clip.num_frames,
            size_bytes=len(clip.data),
            sha256=hashlib.sha256(clip.data).hexdigest(),
        )

    def finish(self, report: CaptionReport, video: str) -> ClipManifest:
        """Wait for all clips, then write the manifest.

        Args:
            report: last event of the request.
            video: the caller's name for the video.

        Raises:
            ClipsNotWritten: if something cannot be written.
            UnexpectedAnswer: if a clip is missing.
        """
        clips = tuple(self._clips[index] for index in sorted(self._clips))
        if [clip.index for clip in clips] != list(range(report.num_clips)):
            raise UnexpectedAnswer(
                f"{len(clips)} clips came, and the report counts {report.num_clips}: request the"
                " video again"
            )
        manifest = ClipManifest(
            video=video,
            region=report.region,
            time_base=report.time_base,
            start_seconds=report.start_seconds,
            duration_seconds=report.duration_seconds,
            is_complete=report.is_complete,
            num_frames=sum(clip.num_frames for clip in clips),
            clips=clips,
        )
        self._place.settle()
        text = json.dumps(plain(manifest), indent=2, ensure_ascii=False) + "\n"
        self._place.put(File(MANIFEST, text.encode(errors="replace"), JSON_TYPE))
        self._place.settle()
        self.is_finished = True
        return manifest


@contextmanager
def open_clips(place: str | os.PathLike[str]) -> Iterator[ClipWriter]:
    """Write clips to a folder, or to `s3://BUCKET/PREFIX`, where no clips are yet.

    A clip appears under its name when it is complete, and `manifest.json` after all of them. If the
    block is left before `finish`, everything that it has written is removed.

        with open_clips("clips") as writer:
            for event in client.captions("a.mp4", with_clips=True):
                if isinstance(event, Clip):
                    writer.add(event)
                elif isinstance(event, CaptionReport):
                    writer.finish(event, "a.mp4")

    Raises:
        ClipsNotWritten: if the place cannot be written to, or holds clips.
        InvalidRequest: if the URI names no bucket.
        Unsupported: if boto3 is not installed.
    """
    name = os.fspath(place)
    target: Place = Bucket(name) if name.startswith(SCHEME) else Folder(Path(name))
    writer = ClipWriter(target)
    try:
        target.prepare()
        yield writer
        if not writer.is_finished:
            target.discard()
    except BaseException as error:  # also Ctrl-C
        _discard_after(error, target)
        raise
    finally:
        target.close()


def _discard_after(error: BaseException, place: Place) -> None:
    """Remove what was written; raises ClipsNotWritten if something stays behind."""
    try:
        place.discard()
    except ClipsNotWritten as left:
        raise ClipsNotWritten(f"{str(error) or 'stopped'}; {left}") from error
