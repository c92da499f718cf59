# SPDX-License-Identifier: Apache-2.0
"""Files that stay for as long as somebody holds them, and those that are being written."""

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

RESERVE_STEP_BYTES = 64 * 2**20  # of a video whose length its source does not tell


def lock_file(path: Path, flags: int, operation: int) -> int | None:
    """Open and lock a file without waiting; None where others hold it or it has gone.

    Args:
        flags: as of `os.open`.
        operation: fcntl.LOCK_SH or LOCK_EX.
    """
    try:
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        if flags & os.O_CREAT:  # the folder itself has gone: waiting does not bring it back
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
    os.close(file)  # removed, or made anew, between opening and locking
    return None


def _mark_as_used(file: int) -> None:
    # The other time says when the content changed: open decoders of a file go by it.
    os.utime(file, ns=(time.time_ns(), os.fstat(file).st_mtime_ns))


class _Closed(ABC):
    """Is closed at the end of its context."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()


class HeldFile(_Closed):
    """A complete file that nobody removes until it is closed."""

    def __init__(self, path: Path, lock: int, *, remove_when_closed: bool = False) -> None:
        self.path = path
        self._lock = lock
        self._remove_when_closed = remove_when_closed

    @classmethod
    def of(cls, path: Path) -> "HeldFile | None":
        """Hold a file and mark it as used now; None where it is not there, or being removed."""
        lock = lock_file(path, os.O_RDONLY, fcntl.LOCK_SH)
        if lock is None:
            return None
        _mark_as_used(lock)
        return cls(path, lock)

    def close(self) -> None:
        """Let go."""
        if self._remove_when_closed:
            self.path.unlink(missing_ok=True)
        os.close(self._lock)


class Part(_Closed):
    """A file being written, within the limits; gone after its context unless `kept`."""

    def __init__(
        self,
        path: Path,
        lock: int,
        limits: SourceLimits,
        deadline: Deadline,
        make_room: Callable[[int, int], None],
    ) -> None:
        """Take over the locked file `lock`; `make_room` sets its size in the spool."""
        self._path = path
        self._lock = lock  # a file descriptor
        self._limits = limits
        self._deadline = deadline
        self._make_room = make_room
        self._reserved = 0
        self._written_to = 0
        self._kept = False
        self._guard = threading.Lock()

    def reserve(self, size: int) -> None:
        """Take the room for `size` bytes in all, as the source announces them.

        Raises:
            SourceTooLarge: no video may have as many.
            Unavailable: there is no room for them now.
        """
        self._limits.check_size(size)
        self._make_room(self._lock, size)
        self._reserved = size

    def write_at(self, offset: int, data: bytes) -> None:
        """Write bytes; several threads may, within what is reserved.

        Raises:
            SourceTooLarge: the file grows beyond what a video may have.
            Unavailable: no room or no time.
            OSError: the disk is full.
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
            self._written_to = max(self._written_to, end)

    def head(self, size: int) -> bytes:
        """Return up to `size` of the first bytes that were written."""
        return os.pread(self._lock, min(size, self._written_to), 0)

    def begin_again(self) -> None:
        """Forget what was written: the source starts from the first byte."""
        self._written_to = 0

    def kept(self, path: Path | None = None, *, remove_when_closed: bool = False) -> HeldFile:
        """Return the file, complete and under the name `path`, in use without a gap."""
        os.ftruncate(self._lock, self._written_to)
        _mark_as_used(self._lock)
        if path is not None:
            self._path.rename(path)
            self._path = path
        self._kept = True
        return HeldFile(self._path, self._lock, remove_when_closed=remove_when_closed)

    def close(self) -> None:
        """Remove the file unless it is kept."""
        if not self._kept:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._kept = True
