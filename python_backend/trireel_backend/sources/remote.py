# SPDX-License-Identifier: Apache-2.0
"""From a URI to a file in the spool, through the source of its scheme."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from trireel_backend.sources.leases import HeldFile, Part
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import Spool, Version

REMOTE_SCHEMES = ("s3", "http", "https")


class Source(Protocol):
    """Downloads the videos of a scheme."""

    def download(
        self, uri: str, part: Part, known_version: Version | None, deadline: Deadline
    ) -> Version | None:
        """Write the video to `part`; return its version, None if it is still `known_version`."""


class RemoteSources:
    """Fetches and keeps videos; one object per process, safe in all of its threads."""

    def __init__(self, folder: Path, limits: SourceLimits) -> None:
        self._limits = limits
        self._spool = Spool(folder, limits)
        self._sources: dict[str, Source] = {}
        self._lock = threading.Lock()

    def upload(self, data: bytes, stop: Callable[[], bool]) -> HeldFile:
        """Return a file with these bytes, removed when it is closed.

        Raises:
            RequestError: if it is too large, or the spool has no space.
        """
        return self._spool.upload(data, self._deadline(stop))

    def fetch(self, scheme: str, uri: str, stop: Callable[[], bool]) -> HeldFile:
        """Return a URI's video, which stays until it is closed.

        Raises:
            RequestError: if it cannot be fetched.
        """
        deadline = self._deadline(stop)

        def download(part: Part, known_version: Version | None) -> Version | None:
            return self._source(scheme).download(uri, part, known_version, deadline)

        return self._spool.fetch(uri, download, deadline)

    def fresh_video(self, uri: str) -> HeldFile | None:
        """Return a URI's video if it is in the spool and fresh; no source is contacted."""
        return self._spool.fresh_video(uri)

    def spool_bytes(self) -> int:
        """Return the size of all files in the spool.

        Raises:
            OSError: if the spool cannot be read.
        """
        return self._spool.size_bytes()

    def _deadline(self, stop: Callable[[], bool]) -> Deadline:
        return Deadline(self._limits.timeout_seconds, stop)

    def _source(self, scheme: str) -> Source:
        kind = "s3" if scheme == "s3" else "web"
        with self._lock:
            if kind not in self._sources:
                self._sources[kind] = _open_source(kind, self._limits)
            return self._sources[kind]


def _open_source(kind: str, limits: SourceLimits) -> Source:
    # boto3 takes 32 MB and httpx 12 MB in each process: import them only for a fetch.
    if kind == "s3":
        from trireel_backend.sources.s3 import S3Source

        return S3Source(limits)
    from trireel_backend.sources.web import WebSource

    return WebSource(limits)
