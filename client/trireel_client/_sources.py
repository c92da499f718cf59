# SPDX-License-Identifier: Apache-2.0
"""The forms in which a caller names a video, and how each is sent."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from trireel_client._errors import (
    EmptySource,
    InvalidRequest,
    SourceNotFound,
    SourceTooLarge,
    UnreadableSource,
)

# A protobuf message ends at 2 GiB; the rest of the request takes little of it.
MAX_UPLOAD_BYTES = 2**31 - 1 - 2**20
READ_BYTES = 2**20  # of a file object at once

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two characters or more: `C:` is a drive


@dataclass(frozen=True)
class ServerPath:
    """A video that the server reads from its media folder.

    `ServerPath("clips/sample.mp4")` sends the name, not the file.
    """

    path: str
    """Path relative to the media folder, or absolute on the server's machine."""


@runtime_checkable
class FileObject(Protocol):
    """An open file, a pipe, or any other object with a `read` method for bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


Source = str | os.PathLike[str] | bytes | bytearray | memoryview | FileObject | ServerPath


@dataclass(frozen=True)
class Reference:
    """A name that the server follows: a path on its machine or a URI."""

    text: str
    """Text of the tensor VIDEO."""


@dataclass(frozen=True)
class Upload:
    """The bytes of a video."""

    data: bytes
    """Content of the tensor VIDEO_DATA."""


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine, which the server may be able to read too."""

    path: Path
    """Absolute path, with links resolved."""


Video = Reference | Upload | LocalFile


def classify(source: Source) -> Video:
    """Return how a source is sent, before any request.

    Raises:
        SourceError: if a local file cannot be sent; see `trireel_client._errors`.
        InvalidRequest: if a reference is empty.
        TypeError: if the value is not a source.
    """
    match source:
        case ServerPath(path=text):
            return _reference(text)
        case bytes() | bytearray() | memoryview():
            return _upload(bytes(source))
        case str() if is_uri(source):
            return Reference(source)
        case str() | os.PathLike():
            return _local_file(Path(source))
        case FileObject():
            return read_file_object(source)
    raise TypeError(
        "a video is a path, a URI, bytes, a file open for reading bytes, or a ServerPath, not"
        f" {type(source).__name__}"
    )


def is_uri(text: str) -> bool:
    """Return whether a text is a URI and not a path."""
    return _SCHEME.match(text) is not None


def read_upload(path: Path) -> bytes:
    """Read a local file; raises SourceError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableSource(f"{str(path)!r} cannot be read: {error.strerror}") from error
    return _upload(data, str(path)).data


def read_file_object(file: FileObject, name: str = "the video given as a file object") -> Upload:
    """Read an open file from its position to its end, but no more than fits into a request.

    Raises:
        SourceError: if it is empty, too large, or cannot be read.
        InvalidRequest: if it returns text.
    """
    parts: list[bytes] = []
    size_bytes = 0
    try:
        while part := file.read(min(READ_BYTES, MAX_UPLOAD_BYTES + 1 - size_bytes)):
            if isinstance(part, str):
                raise InvalidRequest(f"{name} returns text: open the file in mode 'rb'")
            parts.append(part)
            size_bytes += len(part)
            if size_bytes > MAX_UPLOAD_BYTES:
                raise SourceTooLarge(
                    f"{name} is longer than {MAX_UPLOAD_BYTES} bytes, the most of one request: put"
                    " it where the server reads it and give a ServerPath or a URI"
                )
    except (OSError, ValueError) as error:  # ValueError: it is closed
        raise UnreadableSource(f"{name} cannot be read: {error}") from error
    return _upload(b"".join(parts), name)


def _reference(text: str) -> Reference:
    if not text.strip():
        raise InvalidRequest("the server path is empty: give a path in the server's media folder")
    return Reference(text)


def _upload(data: bytes, name: str = "the video given as bytes") -> Upload:
    _check_size(len(data), name)
    return Upload(data)


def _local_file(path: Path) -> LocalFile:
    try:
        resolved = path.resolve()
        if not resolved.exists():
            raise SourceNotFound(
                f"there is no file {str(path)!r} on this machine; for a path in the server's media"
                f" folder give ServerPath({str(path)!r})"
            )
        if not resolved.is_file():
            raise UnreadableSource(f"{str(path)!r} is not a file: give the path of a video file")
        _check_size(resolved.stat().st_size, repr(str(path)))
    except (OSError, ValueError, RuntimeError) as error:  # too long, holds NUL, loops, no access
        raise UnreadableSource(f"{str(path)[:80]!r} cannot be read: {error}") from error
    return LocalFile(resolved)


def _check_size(size_bytes: int, name: str) -> None:
    if size_bytes == 0:
        raise EmptySource(f"{name} is empty: give a video")
    if size_bytes > MAX_UPLOAD_BYTES:
        raise SourceTooLarge(
            f"{name} is {size_bytes} bytes, and one request carries at most {MAX_UPLOAD_BYTES}:"
            " put it where the server reads it and give a ServerPath or a URI"
        )
