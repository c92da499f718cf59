# SPDX-License-Identifier: Apache-2.0
"""What may be fetched, how much of it, and for how long."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from trireel_backend.errors import SourceTooLarge, Unavailable

SCHEMES = ("file", "s3", "http", "https")
GIB = 2**30
MAX_VIDEO_BYTES = 4 * GIB
MAX_SPOOL_BYTES = 16 * GIB
TIMEOUT_SECONDS = 300.0
REUSE_SECONDS = 300.0


@dataclass(frozen=True)
class SourceLimits:
    """What requests may name, and what fetching it may cost."""

    schemes: frozenset[str] = frozenset(SCHEMES)
    """URI schemes that are answered; `file` stands for paths too."""
    max_bytes: int = MAX_VIDEO_BYTES
    """Of one video that is fetched or uploaded."""
    timeout_seconds: float = TIMEOUT_SECONDS
    """For one fetch, waiting for another request's fetch of the same URI included."""
    spool_max_bytes: int = MAX_SPOOL_BYTES
    """Of all files in the spool."""
    spool_reuse_seconds: float = REUSE_SECONDS
    """How long a fetched video is used again without asking its source."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Addresses http(s) may reach beside public ones."""
    s3_buckets: frozenset[str] = frozenset()
    """Buckets requests may name; none for all that the server's credentials may read."""

    def check_size(self, size: int) -> None:
        """Raise SourceTooLarge where a video of `size` bytes, or more, is not allowed."""
        if size > self.max_bytes:
            raise SourceTooLarge(
                f"the video has {size} bytes or more: this server takes up to"
                f" {self.max_bytes} bytes a video"
            )


class NowAndThen:
    """A question that is asked of another process now and then, not as often as it comes up."""

    def __init__(self, ask: Callable[[], bool], every_seconds: float = 0.5) -> None:
        self._ask = ask
        self._every_seconds = every_seconds
        self._next = 0.0
        self._answer = False
        self._asking = threading.Lock()

    def __call__(self) -> bool:
        """Return the latest answer; once it was yes, it stays so. From any thread."""
        if not self._answer and time.monotonic() >= self._next and self._asking.acquire(False):
            try:
                self._next = time.monotonic() + self._every_seconds
                self._answer = self._ask()
            finally:
                self._asking.release()
        return self._answer


class Deadline:
    """The end of one request's patience: its time is up, or nobody wants the answer any more."""

    def __init__(self, seconds: float, *stops: Callable[[], bool]) -> None:
        """Begin now; any of `stops` that says so ends it early."""
        self._seconds = seconds
        self._ends = time.monotonic() + seconds
        self._stops = stops

    def or_stopped(self, stop: Callable[[], bool]) -> "Deadline":
        """Return the same deadline that `stop` ends early as well."""
        other = Deadline(self._seconds, *self._stops, stop)
        other._ends = self._ends
        return other

    def remaining(self) -> float:
        """Return the seconds left, more than none; raises Unavailable where none are."""
        if any(stop() for stop in self._stops):
            raise Unavailable("the fetch was given up: nobody waits for it any more")
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise Unavailable(
                f"the video was not fetched in {self._seconds:g} s, this server's limit: try again"
                " later, or send a smaller one"
            )
        return seconds

    def sleep(self, seconds: float) -> None:
        """Sleep, but not past the end; raises Unavailable where that has come."""
        wakes = time.monotonic() + min(seconds, self.remaining())
        while (left := wakes - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self.remaining()
        self.remaining()
