# SPDX-License-Identifier: Apache-2.0
"""Letting whole videos finish before Triton is stopped.

Told to stop, Triton refuses every request from then on, also those that a video under way makes
of other models: the video fails. So the launcher stops Triton only when no video is under way, and
no new one begins while it waits. Launcher and models meet in a folder: a file that says the server
is closed, and a lock that each video shares. The kernel lets go of it however a process ends.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trireel_backend.errors import Unavailable

CLOSED_FILE = "closed"
LOCK_FILE = "videos"
POLL_SECONDS = 0.1


class Admission:
    """Whether whole videos may begin, and whether one is under way."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which is there, of one run of one server."""
        self._closed = folder / CLOSED_FILE
        self._lock = folder / LOCK_FILE

    @contextmanager
    def video(self) -> Iterator[None]:
        """Be a video under way; raises Unavailable where the server is stopping."""
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                stopping = True  # the launcher has seen that no video is under way
            else:
                stopping = self._closed.exists()
            if stopping:
                raise Unavailable("the server is stopping: ask again, it or another one")
            yield

    def close(self) -> None:
        """Let no further video begin."""
        self._closed.touch()

    def is_idle(self) -> bool:
        """Return whether no video is under way."""
        with self._lock.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def wait_until_idle(self, deadline: float, alive: Callable[[], bool]) -> bool:
        """Wait for the videos under way; False when the server died or time ran out.

        Args:
            deadline: on the clock of time.monotonic.
        """
        while not self.is_idle():
            if not alive() or time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True
