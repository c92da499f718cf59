# SPDX-License-Identifier: Apache-2.0
"""The folder of uploaded videos.

    ID              a whole video; servers and workers read it
    .parts/ID       the bytes of an upload that have come so far
    .parts/ID.json  what its sender said of it, for uploads in pieces

Names of files come from random ids alone. The size of a part on the disk is its offset.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trireel_app.gateway.failures import StorageFull
from trireel_app.jobs.uploads import Uploads

PARTS = ".parts"
NAME = re.compile(r"[0-9a-f]{20}")


class UploadFolder:
    """The folder of uploaded videos, with a budget; several processes may use it."""

    def __init__(self, root: Path, uploads: Uploads, budget_bytes: int, reserve_bytes: int) -> None:
        """Make the folder if it is missing; raises OSError if that fails.

        Args:
            uploads: videos of the database, which knows the sizes of all files.
            budget_bytes: bytes that all files may have together.
            reserve_bytes: bytes that stay free on the disk.
        """
        self.root = root.resolve()
        self._uploads = uploads
        self.budget_bytes = budget_bytes
        self._reserve_bytes = reserve_bytes
        (self.root / PARTS).mkdir(parents=True, exist_ok=True)

    def whole(self, video_id: str) -> Path:
        """Return the path of a whole video."""
        return self.root / _checked(video_id)

    def part(self, video_id: str) -> Path:
        """Return the path of an upload's bytes so far."""
        return self.root / PARTS / _checked(video_id)

    def check_room(self, size_bytes: int) -> None:
        """Raise StorageFull if there is no room for a file of a size.

        Videos that have ended do not count: the oldest make room.
        """
        pending_bytes = self._uploads.stored_bytes(pending=True)
        if pending_bytes + size_bytes > self.budget_bytes:
            raise StorageFull(
                "the gateway's disk budget is used up: remove videos, or send this one later",
                retry_after_seconds=3600,
            )
        if shutil.disk_usage(self.root).free < size_bytes + self._reserve_bytes:
            raise StorageFull(
                "the gateway's disk is nearly full: send the video later", retry_after_seconds=3600
            )

    def begin(self, video_id: str, facts: Mapping[str, Any]) -> None:
        """Keep what is known of an upload in pieces, then make its empty file; raises OSError."""
        _write_whole(self._facts(video_id), json.dumps(facts).encode())
        with self.part(video_id).open("xb") as file:
            os.fsync(file.fileno())
        _sync_folder(self.root / PARTS)

    def facts(self, video_id: str) -> dict[str, Any] | None:
        """Return what is known of an upload in pieces; None if there is none."""
        try:
            found: dict[str, Any] = json.loads(self._facts(video_id).read_bytes())
            return found
        except FileNotFoundError:
            return None

    def offset(self, video_id: str) -> int:
        """Return how many bytes of an upload are on the disk for good; raises OSError."""
        with self.part(video_id).open("rb") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    @contextmanager
    def locked(self, video_id: str) -> Iterator[int]:
        """Open the file of an upload for this writer alone; give its descriptor.

        Raises:
            BlockingIOError: if another process writes it.
            FileNotFoundError: if there is no such upload.
        """
        descriptor = os.open(self.part(video_id), os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield descriptor
        finally:
            os.close(descriptor)

    def finish(self, video_id: str) -> Path:
        """Make an upload's bytes a whole video; return its path; may be done twice; OSError."""
        path = self.whole(video_id)
        try:
            os.replace(self.part(video_id), path)
        except FileNotFoundError:
            if not path.exists():
                raise
        _sync_folder(self.root)
        self._facts(video_id).unlink(missing_ok=True)
        return path

    def discard(self, video_id: str) -> None:
        """Remove what has come of an upload, if there is anything."""
        self.part(video_id).unlink(missing_ok=True)
        self._facts(video_id).unlink(missing_ok=True)

    def remove(self, video_id: str) -> None:
        """Remove all files of a video, if there are any."""
        self.discard(video_id)
        self.whole(video_id).unlink(missing_ok=True)

    def found(self) -> Iterator[tuple[str, float]]:
        """Yield the ids of all files and parts with the time of their last change."""
        for folder in (self.root, self.root / PARTS):
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(".json")
                    if NAME.fullmatch(name):
                        try:
                            yield name, entry.stat(follow_symlinks=False).st_mtime
                        except FileNotFoundError:  # removed meanwhile
                            continue

    def _facts(self, video_id: str) -> Path:
        return self.root / PARTS / f"{_checked(video_id)}.json"


def _checked(video_id: str) -> str:
    """Return an id that may be a file's name: nothing else ever is."""
    if not NAME.fullmatch(video_id):
        raise ValueError(f"{video_id!r} is no id of a video")
    return video_id


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
