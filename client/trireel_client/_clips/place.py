# SPDX-License-Identifier: Apache-2.0
"""What a place of clips can do."""

from dataclasses import dataclass
from typing import Protocol

MANIFEST = "manifest.json"
WEBM_TYPE, JSON_TYPE = "video/webm", "application/json"


def clip_name(index: int) -> str:
    """Return the file name of a clip."""
    return f"clip-{index:06d}.webm"


@dataclass(frozen=True)
class File:
    """One file to write."""

    name: str
    """Name in the place."""
    content: bytes
    """Content of the file."""
    media_type: str
    """Media type of the content."""


class Place(Protocol):
    """A folder, or a bucket's prefix. Its methods raise ClipsNotWritten."""

    name: str
    """Name for people: a path or a URI."""

    def prepare(self) -> None:
        """Check before any work that clips can be written, and that none are there."""

    def put(self, file: File) -> None:
        """Write a file, or begin to; a reader sees all of it or nothing."""

    def settle(self) -> None:
        """Wait until all files are written for good."""

    def discard(self) -> None:
        """Remove what was written; ClipsNotWritten names what could not be removed."""

    def close(self) -> None:
        """Close connections."""
