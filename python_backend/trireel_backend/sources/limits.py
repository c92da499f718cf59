# SPDX-License-Identifier: Apache-2.0
"""Limits of fetches: schemes, addresses, bytes and time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from trireel_backend.errors import SourceTooLarge, Unavailable

SCHEMES = ("file", "s3", "http", "https")
GIB = 2**30
MAX_VIDEO_BYTES = 4 * GIB
MAX_UPLOAD_BYTES = 256 * 2**20  # Envoy's bound too; an upload is in memory several times
MAX_SPOOL_BYTES = 16 * GIB
TIMEOUT_SECONDS = 300.0
REUSE_SECONDS = 300.0


@dataclass(frozen=True)
class SourceLimits:
    """The sources that requests may name, and the size and time of a fetch."""

    schemes: frozenset[str] = frozenset(SCHEMES)
    """URI schemes that requests may use; `file` includes plain paths."""
    max_bytes: int = MAX_VIDEO_BYTES
    """Largest size in bytes of a fetched or uploaded video."""
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    """Largest size in bytes of an uploaded video."""
    timeout_seconds: float = TIMEOUT_SECONDS
    """Time limit of one fetch, including the wait for another request's fetch of the same URI."""
    spool_max_bytes: int = MAX_SPOOL_BYTES
    """Largest size in bytes of all files in the spool together."""
    spool_reuse_seconds: float = REUSE_SECONDS
    """Seconds during which a fetched video is reused without a request to its source."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that http(s) may reach in addition to public addresses."""
    s3_buckets: frozenset[str] = frozenset()
    """Buckets that requests may name; empty for all that the server's credentials can read."""

    def check_size(self, size: int) -> None:
        """Check the size of a video that has at least `size` bytes.

        Raises:
            SourceTooLarge: if it exceeds the limit.
        """
        if size > self.max_bytes:
            raise SourceTooLarge(
                f"the video has {size} bytes or more: this server accepts up to"
                f" {self.max_bytes} bytes per video"
            )

    def check_upload(self, size: int) -> None:
        """Check the size of an upload.

        Raises:
            SourceTooLarge: if it exceeds the limit.
        """
        if size > min(self.max_upload_bytes, self.max_bytes):
            raise SourceTooLarge(
                f"VIDEO_DATA has {size} bytes: this server accepts uploads of up to"
                f" {min(self.max_upload_bytes, self.max_bytes)} bytes; name a larger video by a"
                " path or URI"
            )


class ThrottledCheck:
    """A check that another process answers, called at most once per interval."""

    def __init__(self, check: Callable[[], bool], every_seconds: float = 0.5) -> None:
        self._check = check
        self._every_seconds = every_seconds
        self._next = 0.0
        self._result = False
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """Return the latest result; once it is True it stays True. Safe in any thread."""
        if not self._result and time.monotonic() >= self._next and self._lock.acquire(False):
            try:
                self._next = time.monotonic() + self._every_seconds
                self._result = self._check()
            finally:
                self._lock.release()
        return self._result


class Deadline:
    """The end of one request's fetch: at a time limit, or as soon as a stop condition holds."""

    def __init__(self, seconds: float, *stops: Callable[[], bool]) -> None:
        """Start the time limit now; the fetch ends early once any of `stops` returns True."""
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._stops = stops

    def with_stop(self, stop: Callable[[], bool]) -> "Deadline":
        """Return the same deadline with one more stop condition."""
        deadline = Deadline(self._seconds, *self._stops, stop)
        deadline._ends = self._ends
        return deadline

    def remaining(self) -> float:
        """Return the seconds left, more than 0.

        Raises:
            Unavailable: if no time is left, or a stop condition holds.
        """
        if any(stop() for stop in self._stops):
            raise Unavailable("the fetch was cancelled: no request waits for it any more")
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise Unavailable(
                f"the video was not fetched in {self._seconds:g} s, this server's limit: try again"
                " later, or request a smaller video"
            )
        return seconds

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline.

        Raises:
            Unavailable: if no time is left, or a stop condition holds.
        """
        wakes = time.monotonic() + min(seconds, self.remaining())
        while (left := wakes - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self.remaining()
        self.remaining()
