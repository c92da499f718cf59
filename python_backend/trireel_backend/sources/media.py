# SPDX-License-Identifier: Apache-2.0
"""From what a request says of its video to a local file that may be read."""

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
from trireel_backend.sources.limits import NowAndThen, SourceLimits
from trireel_backend.sources.remote import REMOTE_SCHEMES, RemoteSources
from trireel_backend.sources.spool import VIDEO_NAME
from trireel_backend.system.paths import native_path

POLL_SECONDS = 0.5  # between looks whether the client is still there
MAX_REFERENCE_CHARACTERS = 4096  # PATH_MAX; resolving a longer one takes the square of its length


@dataclass(frozen=True)
class MediaFolders:
    """Where videos may be read from and where those from elsewhere are kept."""

    media_root: Path
    """Folder of videos that requests name by path."""
    spool: Path
    """Folder of uploads and fetched videos, of this server alone, on a local disk."""
    limits: SourceLimits = field(default_factory=SourceLimits)
    """What may be fetched from elsewhere."""
    remote: RemoteSources = field(init=False, compare=False)
    """What fetches it."""

    def __post_init__(self) -> None:
        # Resolved once, so that a link on the way to a folder does not hide what is in it.
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
    """Yield the path of the request's video, which is there for as long as the context.

    Args:
        reference: path (relative to the media folder, or absolute) or URI.
        data: the file's bytes. Exactly one of both is given.
        stop: ends a fetch under way when it says so; asked twice a second.

    Raises:
        RequestError: why there is no such file; see `resolve` and `docs/sources.md`.
    """
    if (reference is None) == (data is None):
        got = "neither" if reference is None else "both"
        raise InvalidInput(
            f"got {got} of VIDEO and VIDEO_DATA: send VIDEO (a path or URI) or VIDEO_DATA (bytes)"
        )
    stop = NowAndThen(stop)
    if data is not None:
        if not data:
            raise InvalidInput("VIDEO_DATA is empty: send the video file's bytes")
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
    """Tell whether a reference names a video that has to be fetched."""
    scheme = _scheme_of(reference or "")
    return scheme in REMOTE_SCHEMES and scheme in folders.limits.schemes


def kept_video(folders: MediaFolders, uri: str) -> AbstractContextManager[Path] | None:
    """Return a remote video's file if it is in the spool and fresh; no source is contacted.

    Raises:
        InvalidInput: if the URI is not UTF-8.
    """
    _require_utf8(uri)
    held = folders.remote.kept(uri)
    return None if held is None else _path_of_held(held)


@contextmanager
def _path_of_held(held: HeldFile) -> Iterator[Path]:
    with held:
        yield held.path


@asynccontextmanager
async def local_video_beside(
    executor: Executor,
    folders: MediaFolders,
    reference: str | None,
    data: bytes | None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> AsyncIterator[Path]:
    """Do what `local_video` does in a thread of `executor`, beside the event loop.

    Where the client goes away or the task is cancelled meanwhile, the fetch ends at its next look
    at the clock, within a second while a body comes, and leaves nothing.

    Raises:
        Cancelled: the client has gone away.
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
        entering.add_done_callback(lambda done: _leave(video, done))
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
    scheme = _scheme_of(reference)
    named = native_path(_path_of(reference, scheme, folders.limits))
    path = (folders.media_root / named).resolve()
    if not _may_be_read(folders, path):
        raise OutsideMediaFolder(
            f"{reference!r} is outside the media folder: give a path in the folder the server"
            " was started with, or send the file as VIDEO_DATA"
        )
    if not path.exists():
        raise VideoNotFound(f"{reference!r} is not in the media folder")
    if not path.is_file():
        raise InvalidInput(f"{reference!r} is not a regular file: name a video file")
    return path


def _may_be_read(folders: MediaFolders, path: Path) -> bool:
    if path.parent == folders.spool:  # of a request under way, handed on from model to model
        return VIDEO_NAME.fullmatch(path.name) is not None
    return "file" in folders.limits.schemes and path.is_relative_to(folders.media_root)


def _scheme_of(reference: str) -> str:
    """Return the scheme of a URI, "" of a path."""
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
