# SPDX-License-Identifier: Apache-2.0
"""From a request's video, a reference or bytes, to a local file that may be read."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from trireel_backend.errors import (
    Cancelled,
    InvalidInput,
    OutsideMediaFolder,
    Unsupported,
    VideoNotFound,
)
from trireel_backend.sources.leases import HeldFile
from trireel_backend.sources.limits import SourceLimits, ThrottledCheck
from trireel_backend.sources.remote import REMOTE_SCHEMES, RemoteSources
from trireel_backend.sources.spool import VIDEO_NAME
from trireel_backend.system.paths import native_path

POLL_SECONDS = 0.5  # between checks that the client still waits
MAX_REFERENCE_CHARACTERS = 4096  # PATH_MAX; the time to resolve grows with the square of the length


@dataclass(frozen=True)
class MediaFolders:
    """The folders from which videos may be read, and the sources of other videos."""

    media_root: Path
    """Folder of videos that requests name by path."""
    spool: Path
    """Folder of uploads and fetched videos, for this server only, on a local disk."""
    limits: SourceLimits = field(default_factory=SourceLimits)
    """Limits of fetched and uploaded videos."""
    remote: RemoteSources = field(init=False, compare=False)
    """Fetches videos by URI, and keeps them in the spool."""

    def __post_init__(self) -> None:
        # Resolve links once: files in the folder must compare as being in it.
        object.__setattr__(self, "media_root", self.media_root.resolve())
        object.__setattr__(self, "spool", self.spool.resolve())
        object.__setattr__(self, "remote", RemoteSources(self.spool, self.limits))


@contextmanager
def local_video(
    folders: MediaFolders,
    reference: str | None,
    data: bytes | None,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Path]:
    """Yield the path of a request's video, which exists for the length of the context.

    Exactly one of `reference` and `data` must be given.

    Args:
        reference: path (relative to the media folder, or absolute) or URI.
        data: bytes of the video file.
        stop: returns True to end the fetch; called at most twice a second.

    Raises:
        RequestError: if the video cannot be had; see `resolve` and `docs/sources.md`.
    """
    if (reference is None) == (data is None):
        got = "neither" if reference is None else "both"
        raise InvalidInput(
            f"got {got} of VIDEO and VIDEO_DATA: send VIDEO (a path or URI) or VIDEO_DATA (bytes)"
        )
    stop = ThrottledCheck(stop)
    if data is not None:
        if not data:
            raise InvalidInput("VIDEO_DATA is empty: send the video file's bytes")
        folders.limits.check_upload(len(data))
        with folders.remote.upload(data, stop) as upload:
            yield upload.path
        return
    assert reference is not None  # follows from the check above
    if is_remote(folders, reference):
        _require_utf8(reference)
        with folders.remote.fetch(_scheme_of(reference), reference, stop) as fetched:
            yield fetched.path
    else:
        yield resolve(folders, reference)


def _require_utf8(uri: str) -> None:
    try:
        uri.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"VIDEO {uri[:80]!r} is not UTF-8: percent-encode other bytes"
        ) from error


def is_remote(folders: MediaFolders, reference: str | None) -> bool:
    """Return whether a reference names a video that must be fetched."""
    scheme = _scheme_of(reference or "")
    return scheme in REMOTE_SCHEMES and scheme in folders.limits.schemes


def kept_video(folders: MediaFolders, uri: str) -> AbstractContextManager[Path] | None:
    """Return a remote video's file if it is in the spool and fresh; no source is contacted.

    Raises:
        InvalidInput: if the URI is not UTF-8.
    """
    _require_utf8(uri)
    video = folders.remote.fresh_video(uri)
    return None if video is None else _path_of_video(video)


@contextmanager
def _path_of_video(video: HeldFile) -> Iterator[Path]:
    with video:
        yield video.path


@asynccontextmanager
async def local_video_beside(
    executor: Executor,
    folders: MediaFolders,
    reference: str | None,
    data: bytes | None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> AsyncIterator[Path]:
    """Run `local_video` in a thread of `executor`, so that the event loop continues.

    If the client disconnects or the task is cancelled, the fetch ends at its next check of the
    deadline, within a second while a body arrives, and leaves no file.

    Raises:
        Cancelled: if the client has disconnected.
        RequestError: if the video cannot be had, as in `local_video`.
    """
    stop = threading.Event()
    video = local_video(folders, reference, data, stop=stop.is_set)
    entering = asyncio.get_running_loop().run_in_executor(executor, video.__enter__)
    try:
        while not (await asyncio.wait({entering}, timeout=POLL_SECONDS))[0]:
            if is_cancelled():
                raise Cancelled("the client has gone away")
    except (asyncio.CancelledError, Cancelled):
        stop.set()
        entering.add_done_callback(lambda entered: _leave(video, entered))
        raise
    path = entering.result()
    try:
        yield path
    finally:
        video.__exit__(None, None, None)


def _leave(
    video: AbstractContextManager[Path, bool | None], entered: "asyncio.Future[Path]"
) -> None:
    if not entered.cancelled() and entered.exception() is None:
        video.__exit__(None, None, None)


def resolve(folders: MediaFolders, reference: str) -> Path:
    """Return the absolute path that `reference` names.

    Raises:
        InvalidInput: if the reference is empty, not a path, or names a folder.
        Unsupported: if it is a URI of a scheme that this server does not fetch.
        OutsideMediaFolder: if the path, with links resolved, is not in a folder that may be read.
            This is checked before the file's existence, so that clients cannot probe the disk.
        VideoNotFound: if there is no such file.
    """
    try:
        return _resolve(folders, reference)
    except (OSError, ValueError, RuntimeError) as error:  # too long, with NUL, or a cycle of links
        raise InvalidInput(f"VIDEO {reference[:80]!r} is not a usable path: {error}") from error


def _resolve(folders: MediaFolders, reference: str) -> Path:
    scheme = _scheme_of(reference)
    reference_path = native_path(_path_of(reference, scheme, folders.limits))
    path = (folders.media_root / reference_path).resolve()
    if not _may_be_read(folders, path):
        raise OutsideMediaFolder(
            f"{reference!r} is outside the media folder: give a path in the folder that the server"
            " was started with, or send the file as VIDEO_DATA"
        )
    if not path.exists():
        raise VideoNotFound(f"{reference!r} is not in the media folder")
    if not path.is_file():
        raise InvalidInput(f"{reference!r} is not a regular file: name a video file")
    return path


def _may_be_read(folders: MediaFolders, path: Path) -> bool:
    if path.parent == folders.spool:  # one model passes it on to the next
        return VIDEO_NAME.fullmatch(path.name) is not None
    return "file" in folders.limits.schemes and path.is_relative_to(folders.media_root)


def _scheme_of(reference: str) -> str:
    """Return the scheme of a URI, or "" for a path."""
    scheme, separator, _ = reference.partition("://")
    return scheme.lower() if separator else ""


def _path_of(reference: str, scheme: str, limits: SourceLimits) -> str:
    if not reference.strip():
        raise InvalidInput("VIDEO is empty: give a path in the media folder, or a URI")
    if len(reference) > MAX_REFERENCE_CHARACTERS:
        raise InvalidInput(
            f"VIDEO has {len(reference)} characters: a path or URI has up to"
            f" {MAX_REFERENCE_CHARACTERS}; send the file itself as VIDEO_DATA"
        )
    if not scheme:
        return reference
    if scheme != "file" or "file" not in limits.schemes:
        raise Unsupported(
            f"VIDEO has scheme {scheme[:20]!r}: this server reads"
            f" {', '.join(sorted(limits.schemes))}; send other videos as VIDEO_DATA"
        )
    uri = urlsplit(reference)
    if uri.netloc not in ("", "localhost"):
        raise InvalidInput(f"VIDEO names host {uri.netloc!r}: a file:// URI has no host")
    path = uri.path.encode("utf-8", "surrogateescape")
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape")
