# SPDX-License-Identifier: Apache-2.0
"""Files that stay as long as a request holds them, and files that are being written."""

import fcntl
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from trireel_backend.sources.limits import Deadline, SourceLimits

RESERVE_STEP_BYTES = 64 * 2**20  # for a video of unknown length


def lock_file(path: Path, flags: int, operation: int) -> int | None:
    """Open and lock a file without waiting.

    Args:
        flags: flags of `os.open`.
        operation: fcntl.LOCK_SH or LOCK_EX.

    Returns:
        The file descriptor, or None if another holder prevents the lock or the file was removed.
    """
    try:
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        if flags & os.O_CREAT:  # the folder itself was removed: waiting does not help
            raise
        return None
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file), os.stat(path, follow_symlinks=False)):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)  # it was removed or replaced between opening and locking
    return None


def _mark_as_used(file: int) -> None:
    # Keep the modification time: decoders use it to detect changed content.
    os.utime(file, ns=(time.time_ns(), os.fstat(file).st_mtime_ns))


class _Closable(ABC):
    """An object that is closed at the end of its context."""

    @abstractmethod
    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class HeldFile(_Closable):
    """A complete file that stays until it is closed."""

    def __init__(self, path: Path, lock: int, *, remove_when_closed: bool = False) -> None:
        self.path = path
        self._lock = lock
        self._remove_when_closed = remove_when_closed

    @classmethod
    def of(cls, path: Path) -> "HeldFile | None":
        """Hold a file and mark it as used now; return None if it is missing or being removed."""
        lock = lock_file(path, os.O_RDONLY, fcntl.LOCK_SH)
        if lock is None:
            return None
        _mark_as_used(lock)
        return cls(path, lock)

    def close(self) -> None:
        """Release the file; remove it if it was made for one request."""
        if self._remove_when_closed:
            self.path.unlink(missing_ok=True)
        os.close(self._lock)


class Part(_Closable):
    """A file that is being written; removed after its context unless `finish` is called."""

    def __init__(
        self,
        path: Path,
        lock: int,
        limits: SourceLimits,
        deadline: Deadline,
        make_room: Callable[[int, int], None],
    ) -> None:
        """Take over a locked file.

        Args:
            lock: file descriptor, open for writing.
            make_room: sets the size of a file descriptor's file, and frees space for it.
        """
        self._path = path
        self._lock = lock
        self._limits = limits
        self._deadline = deadline
        self._make_room = make_room
        self._reserved = 0
        self._written_bytes = 0
        self._finished = False
        self._guard = threading.Lock()

    def reserve(self, size: int) -> None:
        """Reserve space in the spool for a file of `size` bytes.

        Raises:
            SourceTooLarge: if a video must not be that large.
            Unavailable: if the spool has no space for it now.
        """
        self._limits.check_size(size)
        self._make_room(self._lock, size)
        self._reserved = size

    def write_at(self, offset: int, data: bytes) -> None:
        """Write bytes; several threads may write at once within the reserved size.

        Raises:
            SourceTooLarge: if the file becomes larger than a video may be.
            Unavailable: if the spool has no space, or the deadline has passed.
            OSError: if the disk is full.
        """
        self._deadline.remaining()
        end = offset + len(data)
        self._limits.check_size(end)
        if end > self._reserved:
            self.reserve(min(max(end, self._reserved + RESERVE_STEP_BYTES), self._limits.max_bytes))
        view = memoryview(data)
        while view:
            written = os.pwrite(self._lock, view, end - len(view))
            view = view[written:]
        with self._guard:
            self._written_bytes = max(self._written_bytes, end)

    def head(self, size: int) -> bytes:
        """Return up to `size` of the first bytes that were written."""
        return os.pread(self._lock, min(size, self._written_bytes), 0)

    def restart(self) -> None:
        """Discard the bytes written so far: the source starts from the first byte."""
        self._written_bytes = 0

    def finish(self, path: Path | None = None, *, remove_when_closed: bool = False) -> HeldFile:
        """Return the complete file, renamed to `path` if given; it stays locked throughout."""
        os.ftruncate(self._lock, self._written_bytes)
        _mark_as_used(self._lock)
        if path is not None:
            self._path.rename(path)
            self._path = path
        self._finished = True
        return HeldFile(self._path, self._lock, remove_when_closed=remove_when_closed)

    def close(self) -> None:
        """Remove the file unless it is finished."""
        if not self._finished:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._finished = True
