# SPDX-License-Identifier: Apache-2.0
"""The operator's settings of the sources of videos."""

import math
from dataclasses import dataclass

from trireel_backend.errors import StartupError
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import (
    MAX_SPOOL_BYTES,
    MAX_UPLOAD_BYTES,
    MAX_VIDEO_BYTES,
    REUSE_SECONDS,
    SCHEMES,
    TIMEOUT_SECONDS,
    SourceLimits,
)
from trireel_backend.sources.media import MediaFolders
from trireel_backend.system.paths import native_path
from trireel_backend.wire.parameters import comma_separated


@dataclass(frozen=True)
class FolderSettings:
    """The folders and sources of videos."""

    media_root: str
    """Folder of the videos that requests name by path."""
    spool: str
    """Folder of uploads and fetched videos; the models of one server share it."""
    source_schemes: str = ",".join(SCHEMES)
    """URI schemes that requests may use, separated by commas; `file` includes plain paths."""
    source_max_bytes: int = MAX_VIDEO_BYTES
    """Largest size in bytes of a fetched or uploaded video."""
    upload_max_bytes: int = MAX_UPLOAD_BYTES
    """Largest size in bytes of an uploaded video."""
    source_timeout_seconds: float = TIMEOUT_SECONDS
    """Time limit of one fetch with all its attempts."""
    spool_max_bytes: int = MAX_SPOOL_BYTES
    """Largest size in bytes of all files in the spool; the least recently used go first."""
    spool_reuse_seconds: float = REUSE_SECONDS
    """Seconds during which a fetched video is reused without a request to its source."""
    allowed_networks: str = ""
    """Networks (CIDR, separated by commas) that http(s) may reach though they are not public."""
    s3_buckets: str = ""
    """Buckets that requests may name, separated by commas; empty for all readable ones."""

    def folders(self) -> MediaFolders:
        """Return the folders and limits after checking them.

        Raises:
            StartupError: if a folder is missing, or a setting is invalid.
        """
        media_root, spool = native_path(self.media_root), native_path(self.spool)
        for text, path in ((self.media_root, media_root), (self.spool, spool)):
            if not path.is_dir():
                raise StartupError(f"{text} is not a folder: create it, or set another")
        return MediaFolders(media_root, spool, self.limits())

    def limits(self) -> SourceLimits:
        """Return the limits of fetches after checking them.

        Raises:
            StartupError: if a setting is invalid.
        """
        schemes = comma_separated(self.source_schemes)
        if not schemes <= set(SCHEMES):
            raise StartupError(
                f"source_schemes is {self.source_schemes!r}: give some of {', '.join(SCHEMES)}"
            )
        if not 0 < self.source_max_bytes <= self.spool_max_bytes:
            raise StartupError(
                f"source_max_bytes is {self.source_max_bytes}: give 1 to spool_max_bytes, which is"
                f" {self.spool_max_bytes}"
            )
        if self.upload_max_bytes < 1:
            raise StartupError(f"upload_max_bytes is {self.upload_max_bytes}: give 1 or more")
        if not 0 < self.source_timeout_seconds < math.inf or not self.spool_reuse_seconds >= 0:
            raise StartupError(
                f"source_timeout_seconds is {self.source_timeout_seconds:g} and spool_reuse_seconds"
                f" {self.spool_reuse_seconds:g}: give seconds, the first more than 0"
            )
        return SourceLimits(
            schemes=schemes,
            max_bytes=self.source_max_bytes,
            max_upload_bytes=self.upload_max_bytes,
            timeout_seconds=self.source_timeout_seconds,
            spool_max_bytes=self.spool_max_bytes,
            spool_reuse_seconds=self.spool_reuse_seconds,
            allowed_networks=parse_networks(self.allowed_networks),
            s3_buckets=comma_separated(self.s3_buckets),
        )
