# SPDX-License-Identifier: Apache-2.0
"""The spool: one folder of fetched and uploaded videos for all processes of a server.

Names in the folder:
    video-<uri>-<token>    a fetched video; its name cannot be guessed from the URI
    part-<token>           a download in flight
    upload-<token>         an upload, for the length of its request
    uri-<uri>.json         the video and the version of a URI
    uri-<uri>.lock         held during the fetch of a URI; other requests for the URI wait

A video is in use while a process holds a shared `flock` on its file. It is not removed then, and
the kernel releases the lock if the process dies. The folder's own lock guards sums, removals and
renames.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from trireel_backend.errors import Unavailable
from trireel_backend.sources.leases import HeldFile, Part, lock_file
from trireel_backend.sources.limits import Deadline, SourceLimits

WAIT_POLL_SECONDS = 0.05
MOST_VIDEOS = 10_000  # in the spool; every download lists all of them
VIDEO_NAME = re.compile(r"(video-[0-9a-f]{32}|upload)-[0-9a-f]{32}")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TEMPORARY_PREFIXES = ("part-", "upload-")


@dataclass(frozen=True)
class Version:
    """A source's validators of a video's content; either may be empty."""

    etag: str = ""
    last_modified: str = ""

    def __bool__(self) -> bool:
        """Return whether a source can confirm this version."""
        return bool(self.etag or self.last_modified)


class Download(Protocol):
    """Fetches one URI."""

    def __call__(self, part: Part, known_version: Version | None) -> Version | None:
        """Write the video to `part`; return its version, None if it is still `known_version`."""


@dataclass(frozen=True)
class _Record:
    """A URI's newest video."""

    file: str
    """Name of the video's file in the folder."""
    version: Version
    asked_at: float
    """Wall-clock time in seconds of the last request in which the source confirmed the video."""


class Spool:
    """Keeps a limited number and size of videos; it removes the least recently used first."""

    def __init__(self, folder: Path, limits: SourceLimits) -> None:
        self._folder = folder
        self._limits = limits

    def upload(self, data: bytes, deadline: Deadline) -> HeldFile:
        """Write an upload to a file that is removed when it is closed.

        Raises:
            SourceTooLarge: if it is larger than a video may be.
            Unavailable: if the spool has no space, or the deadline has passed.
        """
        with _disk_full_is_unavailable(), self._new_part("upload-", deadline) as part:
            part.reserve(len(data))
            part.write_at(0, data)
            return part.finish(remove_when_closed=True)

    def fetch(self, uri: str, download: Download, deadline: Deadline) -> HeldFile:
        """Return the video of a URI; requests at the same time share one download.

        Raises:
            Unavailable: if the spool has no space, or the deadline has passed.
            RequestError: if `download` raises it.
        """
        key = _key(uri)
        if (video := self._fresh(key)) is not None:
            return video
        with _disk_full_is_unavailable(), self._uri_lock(key, deadline):
            return self._fresh(key) or self._refresh(key, download, deadline)

    def fresh_video(self, uri: str) -> HeldFile | None:
        """Return the video of a URI if it can be used without a request to its source."""
        return self._fresh(_key(uri))

    def size_bytes(self) -> int:
        """Return the size of all files in the spool.

        Raises:
            OSError: if the folder cannot be read.
        """
        with self._folder_lock():
            return sum(state.st_size for state in self._states().values())

    def _fresh(self, key: str) -> HeldFile | None:
        record = self._record(key)
        if record is None:
            return None
        age_seconds = time.time() - record.asked_at
        if not 0 <= age_seconds < self._limits.spool_reuse_seconds:
            return None
        return HeldFile.of(self._folder / record.file)

    def _refresh(self, key: str, download: Download, deadline: Deadline) -> HeldFile:
        record = self._record(key)
        if record is not None and record.version and (self._folder / record.file).exists():
            # The old video is not held during the download: it may have to make room.
            video = self._download(key, download, record.version, deadline)
            video = video or HeldFile.of(self._folder / record.file)
            if video is not None:
                return video
        video = self._download(key, download, None, deadline)
        assert video is not None  # only a known version can be unchanged
        return video

    def _download(
        self, key: str, download: Download, known_version: Version | None, deadline: Deadline
    ) -> HeldFile | None:
        """Download a video and record it; return None if its version is unchanged."""
        asked_at = time.time()
        with self._new_part("part-", deadline) as part:
            version = download(part, known_version)
            if version is not None:
                # A sum during the rename could miss the file under both names.
                with self._folder_lock():
                    video = part.finish(self._folder / f"video-{key}-{secrets.token_hex(16)}")
        if version is None:
            if (record := self._record(key)) is not None:
                self._write_record(key, replace(record, asked_at=asked_at))
            return None
        try:
            self._write_record(key, _Record(video.path.name, version, asked_at))
        except BaseException:
            video.close()
            raise
        return video

    @contextmanager
    def _uri_lock(self, key: str, deadline: Deadline) -> Iterator[None]:
        path = self._folder / f"uri-{key}.lock"
        while (lock := lock_file(path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX)) is None:
            deadline.sleep(WAIT_POLL_SECONDS)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # requests that wait for it notice, and create a new one
            os.close(lock)

    @contextmanager
    def _folder_lock(self) -> Iterator[None]:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _new_part(self, prefix: str, deadline: Deadline) -> Part:
        with self._folder_lock():  # no other process may see the file before it is locked
            path = self._folder / f"{prefix}{secrets.token_hex(16)}"
            lock = lock_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, fcntl.LOCK_SH)
        assert lock is not None  # no other process knows the name
        return Part(path, lock, self._limits, deadline, self._make_room)

    def _make_room(self, file: int, size: int) -> None:
        """Set a file's size, which counts towards the limit; first remove unused videos for it."""
        with self._folder_lock():
            self._sweep()
            states = self._states()
            others = sum(state.st_size for state in states.values()) - os.fstat(file).st_size
            videos = _least_recently_used_first(states)
            too_many = len(videos) + 1 - MOST_VIDEOS  # 1 for the new file
            for video in videos:
                if others + size <= self._limits.spool_max_bytes and too_many <= 0:
                    break
                if _remove_unused(self._folder / video):
                    others -= states[video].st_size
                    too_many -= 1
                    self._forget(video)
            if others + size > self._limits.spool_max_bytes:
                raise Unavailable(
                    f"the spool is full: {size} bytes are needed, {others} of"
                    f" {self._limits.spool_max_bytes} are in use by other requests; try again later"
                )
            os.ftruncate(file, size)

    def _sweep(self) -> None:
        """Remove unfinished files and uploads of processes that died."""
        for path in self._folder.iterdir():
            if path.name.startswith(TEMPORARY_PREFIXES):
                _remove_unused(path)

    def _states(self) -> dict[str, os.stat_result]:
        """Return the state of all files except URI records and locks, by name."""
        with os.scandir(self._folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith("uri-")]
        states = {}
        for name in names:
            with suppress(FileNotFoundError):  # its owner has just removed it
                states[name] = (self._folder / name).lstat()
        return states

    def _record(self, key: str) -> _Record | None:
        try:
            fields = json.loads((self._folder / f"uri-{key}.json").read_text())
            return _Record(**{**fields, "version": Version(**fields["version"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None  # there is no record, or a full disk truncated it

    def _write_record(self, key: str, record: _Record) -> None:
        """Write a URI's record; remove its earlier video if it is not in use."""
        with self._folder_lock():
            earlier = self._record(key)
            path = self._folder / f"uri-{key}.json"
            part = self._folder / f"part-{secrets.token_hex(16)}"
            part.write_text(json.dumps(asdict(record)))
            part.replace(path)
            if earlier is not None and earlier.file != record.file:
                _remove_unused(self._folder / earlier.file)

    def _forget(self, video: str) -> None:
        key = video.split("-")[1]
        record = self._record(key)
        if record is not None and record.file == video:
            (self._folder / f"uri-{key}.json").unlink(missing_ok=True)


def _key(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()[:32]


def _least_recently_used_first(states: dict[str, os.stat_result]) -> list[str]:
    videos = [name for name in states if name.startswith("video-")]
    return sorted(videos, key=lambda name: states[name].st_atime_ns)


def _remove_unused(path: Path) -> bool:
    lock = lock_file(path, os.O_RDONLY, fcntl.LOCK_EX)
    if lock is None:
        return False
    path.unlink(missing_ok=True)
    os.close(lock)
    return True


@contextmanager
def _disk_full_is_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise Unavailable("the spool's disk is full: try again later") from error
