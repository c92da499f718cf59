# SPDX-License-Identifier: Apache-2.0
"""The files of a library, wherever they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from trireel_app.errors import LibraryError


class FileGone(LibraryError):
    """A file of the library is not there."""


@dataclass(frozen=True)
class StoredFile:
    """A file of a library."""

    name: str
    """Name of the file, relative to the library's root."""
    modified_seconds: float
    """Time at which the file was written, in seconds since 1970."""


class Storage(Protocol):
    """The files of a library by their names, which are relative and use `/`."""

    root: str
    """Path or URI of the library."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises FileGone, LibraryError."""

    def write(self, name: str, data: bytes) -> None:
        """Write or replace a file at once: readers see the old bytes or the new; LibraryError."""

    def remove(self, name: str) -> None:
        """Remove a file if it is there; raises LibraryError."""

    def folders(self, name: str) -> list[str]:
        """Return the names of the folders in a folder, sorted, without the path to them."""

    def files(self, name: str) -> Iterator[StoredFile]:
        """Yield the files in a folder and in the folders below it."""

    def address(self, name: str) -> str:
        """Return the path or URI of a file."""
