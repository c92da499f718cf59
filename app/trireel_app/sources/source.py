# SPDX-License-Identifier: Apache-2.0
"""One video or picture to analyse, and the addresses that it may have."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from trireel_app.errors import InvalidOption
from trireel_client._command.videos import SUFFIXES as VIDEO_SUFFIXES

PICTURE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
)
SUFFIXES = VIDEO_SUFFIXES | PICTURE_SUFFIXES
REMOTE_SCHEMES = ("s3", "http", "https")
SECRET_IN_QUERY = re.compile(
    r"signature|credential|security-token|^sig$|^token$|access_?token|api_?key|password|secret",
    re.IGNORECASE,
)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True)
class VideoSource:
    """One video or picture, and the options that it alone has."""

    uri: str
    """Absolute path of a file on this machine, or a URI that the server fetches."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of this video by their names in `AnalysisOptions`; they replace the job's."""

    @property
    def is_picture(self) -> bool:
        """True if the name is that of a picture, which counts as one clip."""
        return suffix_of(self.uri) in PICTURE_SUFFIXES

    @property
    def path(self) -> Path | None:
        """Path of a file on this machine; None for a URI that the server fetches."""
        return None if scheme_of(self.uri) else Path(self.uri)


def scheme_of(name: str) -> str:
    """Return the scheme of a URI in small letters; empty for a path."""
    match = _SCHEME.match(name)
    return match[1].lower() if match else ""


def suffix_of(name: str) -> str:
    """Return the suffix of a path's or URI's last part in small letters, with its dot."""
    path = urlsplit(name).path if scheme_of(name) in REMOTE_SCHEMES else name
    return PurePosixPath(path).suffix.lower()


def normal_uri(name: str) -> str:
    """Return a source's one name: an absolute path, or a URI without fragment.

    Two names of one source give the same text. Links are not followed.

    Raises:
        InvalidOption: if the scheme is not known, or the name holds a credential.
    """
    scheme = scheme_of(name)
    if not scheme:
        return os.path.abspath(os.path.expanduser(name))
    parts = urlsplit(name)
    if scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise InvalidOption(f"{name!r} names another machine: give file:///PATH or a path")
        return os.path.abspath(unquote(parts.path))
    if scheme not in REMOTE_SCHEMES:
        known = ", ".join(f"{each}://" for each in ("file", *REMOTE_SCHEMES))
        raise InvalidOption(f"{name!r} has the scheme {scheme}: give a path or one of {known}")
    _check_without_secrets(scheme, parts.netloc, parts.query, parts.path)
    if scheme == "s3":
        return f"s3://{parts.netloc}{name[name.index('://') + 3 + len(parts.netloc) :]}"
    return urlunsplit((scheme, parts.netloc.lower(), parts.path, parts.query, ""))


def _check_without_secrets(scheme: str, netloc: str, query: str, path: str) -> None:
    """Reject a URI with a password or a signature: jobs and outputs would keep it."""
    host = netloc.rpartition("@")[2]
    shown = f"{scheme}://{host}{path}"
    if "@" in netloc:
        raise InvalidOption(
            f"{shown} comes with a user or password, which results would keep: give the URI without"
            " it, and the credentials to the server"
        )
    for key, _ in parse_qsl(query, keep_blank_values=True):
        if scheme != "s3" and SECRET_IN_QUERY.search(key):
            raise InvalidOption(
                f"{shown} comes with {key}, a credential that results would keep: give s3://, and"
                " the credentials to the server"
            )
