# SPDX-License-Identifier: Apache-2.0
"""From what a request says of its video to a local file that may be read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trireel_backend.errors import InvalidInput, OutsideMediaFolder, Unsupported, VideoNotFound


@dataclass(frozen=True)
class MediaFolders:
    """Where videos may be read from and where uploads are kept while they are worked on."""

    media_root: Path
    """Folder of videos that requests name by path."""
    spool: Path
    """Folder of uploads, of this server alone; a file lives as long as its request."""

    def __post_init__(self) -> None:
        # Resolved once, so that a link on the way to a folder does not hide what is in it.
        object.__setattr__(self, "media_root", self.media_root.resolve())
        object.__setattr__(self, "spool", self.spool.resolve())


@contextmanager
def local_video(folders: MediaFolders, reference: str | None, data: bytes | None) -> Iterator[Path]:
    """Yield the path of the request's video; an upload's file is removed afterwards.

    Args:
        reference: path (relative to the media folder, or absolute) or `file://` URI.
        data: the file's bytes. Exactly one of both is given.

    Raises:
        InvalidInput, OutsideMediaFolder, VideoNotFound, Unsupported: see `resolve`.
    """
    if (reference is None) == (data is None):
        got = "neither" if reference is None else "both"
        raise InvalidInput(
            f"got {got} of VIDEO and VIDEO_DATA: send VIDEO (a path or URI) or VIDEO_DATA (bytes)"
        )
    if data is None:
        assert reference is not None  # follows from the check above
        yield resolve(folders, reference)
        return
    if not data:
        raise InvalidInput("VIDEO_DATA is empty: send the video file's bytes")
    with tempfile.NamedTemporaryFile(dir=folders.spool, prefix="upload-") as upload:
        upload.write(data)
        upload.flush()
        yield Path(upload.name)


def resolve(folders: MediaFolders, reference: str) -> Path:
    """Return the absolute path that `reference` names.

    Raises:
        InvalidInput: the reference is empty or no path can be read from it, or names a folder.
        Unsupported: a URI of a scheme this server does not fetch.
        OutsideMediaFolder: the path, links followed, is not in a folder that may be read; said
            before looking whether it exists, so that nobody can ask what else is on this disk.
        VideoNotFound: there is no such file.
    """
    try:
        return _resolve(folders, reference)
    except (OSError, ValueError, RuntimeError) as error:  # too long, holds NUL, links in a ring
        raise InvalidInput(f"VIDEO {reference[:80]!r} is not a usable path: {error}") from error


def _resolve(folders: MediaFolders, reference: str) -> Path:
    path = (folders.media_root / _path_of(reference)).resolve()
    if not (path.is_relative_to(folders.media_root) or path.is_relative_to(folders.spool)):
        raise OutsideMediaFolder(
            f"{reference!r} is outside the media folder: give a path in the folder the server"
            " was started with, or send the file as VIDEO_DATA"
        )
    if not path.exists():
        raise VideoNotFound(f"{reference!r} is not in the media folder")
    if not path.is_file():
        raise InvalidInput(f"{reference!r} is not a regular file: name a video file")
    return path


def _path_of(reference: str) -> str:
    if not reference.strip():
        raise InvalidInput("VIDEO is empty: give a path in the media folder, or a file:// URI")
    if "://" not in reference:
        return reference
    uri = urlsplit(reference)
    if uri.scheme != "file":
        raise Unsupported(
            f"VIDEO has scheme {uri.scheme!r}: this server reads file:// and plain paths;"
            " send other videos as VIDEO_DATA"
        )
    if uri.netloc not in ("", "localhost"):
        raise InvalidInput(f"VIDEO names host {uri.netloc!r}: a file:// URI has no host")
    return unquote(uri.path)
