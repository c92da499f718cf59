# SPDX-License-Identifier: Apache-2.0
"""Clips in a folder of this machine."""

import os
from pathlib import Path

from trireel_client._clips.place import MANIFEST, File
from trireel_client._errors import ClipsNotWritten
from trireel_client._files import write_whole


class Folder:
    """A folder, which is made if it is not there. Files appear when they are complete."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._written: list[Path] = []
        self._is_own = False

    def prepare(self) -> None:
        """Make the folder; raises ClipsNotWritten if it holds clips, or cannot be used."""
        try:
            if not self._path.exists():
                self._path.mkdir()
                self._is_own = True
            taken = [path.name for path in self._path.glob("clip-*.webm")]
        except OSError as error:
            raise self._failed(error) from error
        if taken or (self._path / MANIFEST).exists():
            raise ClipsNotWritten(
                f"{self.name!r} holds clips of an earlier video: give an empty or new folder"
            )
        if not self._path.is_dir() or not os.access(self._path, os.W_OK):
            raise ClipsNotWritten(
                f"{self.name!r} is no folder that this user may write to: give another folder"
            )

    def put(self, file: File) -> None:
        """Write a file and wait until it is on the disk; raises ClipsNotWritten."""
        path = self._path / file.name
        try:
            write_whole(path, file.content)
        except OSError as error:
            raise self._failed(error) from error
        self._written.append(path)

    def settle(self) -> None:
        """Wait until the names of the files are on the disk; raises ClipsNotWritten."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Remove the files, and the folder if it was made; raises ClipsNotWritten."""
        try:
            for path in self._written:
                path.unlink(missing_ok=True)
            if self._is_own:
                self._path.rmdir()
        except OSError as error:
            raise ClipsNotWritten(
                f"some of {len(self._written)} clips remain in {self.name!r}: {error.strerror}"
            ) from error
        self._written.clear()

    def close(self) -> None:
        """Do nothing: a folder has no connections."""

    def _failed(self, error: OSError) -> ClipsNotWritten:
        return ClipsNotWritten(
            f"the clips cannot be written to {self.name!r}: {error.strerror}; make room there, or"
            " give another place"
        )
