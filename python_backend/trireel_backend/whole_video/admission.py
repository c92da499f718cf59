# SPDX-License-Identifier: Apache-2.0
"""Letting whole videos finish before Triton is stopped.

While it shuts down, Triton rejects every request, including the calls that a video in flight makes
of other models: that video fails. So the launcher first waits until no video is in flight, and new
videos are rejected meanwhile. Launcher and models communicate through a folder. It holds a file
that marks the server as closed, and a lock that all videos share. The kernel releases the lock
however a process ends.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trireel_backend.errors import StageFailed, Unavailable

CLOSED_FILE = "closed"
LOCK_FILE = "videos"
POLL_SECONDS = 0.1


class Admission:
    """Whether whole videos may begin, and whether any video is in flight."""

    def __init__(self, folder: Path) -> None:
        """Use the existing folder of one run of one server."""
        self._closed = folder / CLOSED_FILE
        self._lock = folder / LOCK_FILE

    @contextmanager
    def video(self) -> Iterator[None]:
        """Hold the context for a video in flight.

        Raises:
            Unavailable: if the server is stopping, or stopped a model that the video needed.
        """
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                stopping = True  # the launcher has found that no video is in flight
            else:
                stopping = self._closed.exists()
            if stopping:
                raise Unavailable("the server is stopping: retry here later, or on another server")
            try:
                yield
            except StageFailed as error:
                if not self._closed.exists():
                    raise
                # Triton names no status for a model that it is unloading.
                raise Unavailable(
                    "the server stopped before the video ended: retry on another server"
                ) from error

    def close(self) -> None:
        """Let no further video begin."""
        self._closed.touch()

    def open(self) -> None:
        """Let videos begin again."""
        self._closed.unlink(missing_ok=True)

    def is_idle(self) -> bool:
        """Return whether no video is in flight."""
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def wait_until_idle(self, deadline: float, alive: Callable[[], bool]) -> bool:
        """Wait for the videos in flight; return False if the server died or time ran out.

        Args:
            deadline: seconds on the clock of time.monotonic.
            alive: returns whether the server still runs.
        """
        while not self.is_idle():
            if not alive() or time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True
