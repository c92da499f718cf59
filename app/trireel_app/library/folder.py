# SPDX-License-Identifier: Apache-2.0
"""A library in a folder of this machine."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from trireel_app.errors import LibraryError
from trireel_app.library.storage import FileGone, StoredFile

TEMPORARY = ".tmp"


class FolderStorage:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.root = str(self._folder)

    def read(self, name: str) -> bytes:
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileGone(f"the library {self.root} has no file {name}") from error
        except OSError as error:
            raise LibraryError(f"{self._folder / name} cannot be read: {error}") from error

    def write(self, name: str, data: bytes) -> None:
        path = self._folder / name
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise LibraryError(f"{path} cannot be written: {error}") from error

    def remove(self, name: str) -> None:
        path = self._folder / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LibraryError(f"{path} cannot be removed: {error}") from error
        for folder in path.parents:
            if folder == self._folder:
                return
            try:
                folder.rmdir()
            except OSError:  # not empty, or removed by another process
                return

    def folders(self, name: str) -> list[str]:
        try:
            with os.scandir(self._folder / name) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LibraryError(f"{self._folder / name} cannot be read: {error}") from error

    def files(self, name: str) -> Iterator[StoredFile]:
        for path in sorted((self._folder / name).rglob("*")):
            try:
                if path.is_file():
                    relative = path.relative_to(self._folder).as_posix()
                    yield StoredFile(relative, path.stat().st_mtime)
            except FileNotFoundError:  # removed meanwhile
                continue

    def address(self, name: str) -> str:
        return str(self._folder / name)
