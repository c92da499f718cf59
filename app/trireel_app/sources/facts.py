# SPDX-License-Identifier: Apache-2.0
"""A source's size and hash: by them a result names its input, and a changed input is noticed."""

import hashlib
import os
from dataclasses import dataclass

from trireel_app.errors import AppError
from trireel_app.sources import buckets
from trireel_app.sources.source import VideoSource, scheme_of

READ_BYTES = 2**20


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a source's bytes."""

    size_bytes: int | None = None
    """Size of the file or object; None if it is not known."""
    sha256: str | None = None
    """Hash of a local file's bytes; None for a URI, whose bytes the server reads."""
    etag: str | None = None
    """ETag of an object in S3, which changes with its bytes; None for others."""


def stamp_of(source: VideoSource) -> str:
    """Return a text that changes when the source changes, at no cost; empty if none is known.

    For a file: size, time of change and inode. For an object in S3: its ETag.
    """
    try:
        if (path := source.path) is not None:
            status = os.stat(path)
            return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        if scheme_of(source.uri) == "s3":
            return buckets.described(source.uri).version
    except (OSError, ValueError, AppError):
        pass  # the analysis says in a better sentence why the source cannot be read
    return ""


def facts_of(source: VideoSource) -> SourceFacts:
    """Read a source's facts: a file is read whole, an object is only described."""
    try:
        if (path := source.path) is not None:
            digest = hashlib.sha256()
            with path.open("rb", buffering=0) as file:
                while part := file.read(READ_BYTES):
                    digest.update(part)
                return SourceFacts(os.fstat(file.fileno()).st_size, digest.hexdigest())
        if scheme_of(source.uri) == "s3":
            found = buckets.described(source.uri)
            return SourceFacts(found.size_bytes, etag=found.version)
    except (OSError, ValueError, AppError):
        pass  # as above
    return SourceFacts()
