# SPDX-License-Identifier: Apache-2.0
"""The files and objects that one name stands for: itself, a folder's, or those of a pattern."""

import glob
import os
import re
from collections.abc import Iterator
from functools import cache

from trireel_app.errors import InvalidOption
from trireel_app.sources import buckets
from trireel_app.sources.source import SUFFIXES, normal_uri, scheme_of, suffix_of

WILDCARDS = re.compile(r"[*?\[]")


def uris_of(name: str, *, recursive: bool) -> Iterator[str]:
    """Yield the addresses of the videos and pictures that a name stands for, in order.

    Hidden files and folders are left out, and so are files of other suffixes. A file that is named
    by itself may have any name.

    Raises:
        InvalidOption: if nothing is found, or the name cannot be used.
        LibraryError: if a bucket cannot be listed.
    """
    found = False
    for uri in _uris(name, recursive):
        found = True
        yield uri
    if not found:
        deeper = "" if recursive else ", or add --recursive for folders below"
        raise InvalidOption(f"there are no videos or pictures at {name!r}: give another{deeper}")


def matches(pattern: str, key: str) -> bool:
    """Return whether a key matches a pattern: `*` and `?` stop at a slash, `**` does not."""
    return _expression(pattern).fullmatch(key) is not None


def _uris(name: str, recursive: bool) -> Iterator[str]:
    scheme = scheme_of(name)
    if scheme == "s3":
        yield from _objects(normal_uri(name), recursive)
    elif scheme and scheme != "file":
        yield normal_uri(name)
    else:
        yield from _files(normal_uri(name), name, recursive)


def _files(path: str, name: str, recursive: bool) -> Iterator[str]:
    if os.path.isdir(path):
        yield from _in_folder(path, recursive)
    elif os.path.lexists(path):
        yield path
    elif WILDCARDS.search(path):
        for found in sorted(glob.glob(path, recursive=True)):
            if os.path.isfile(found):
                yield found
    else:
        raise InvalidOption(f"there is no file {name!r}: give a file, a folder or a URI")


def _in_folder(folder: str, recursive: bool) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if recursive else []
        for file in sorted(files):
            if suffix_of(file) in SUFFIXES and not file.startswith("."):
                yield os.path.join(path, file)


def _objects(uri: str, recursive: bool) -> Iterator[str]:
    bucket, key = buckets.split_uri(uri)
    wildcard = WILDCARDS.search(key)
    if wildcard:
        start = key[: wildcard.start()]
        for found in buckets.listed(f"{buckets.S3}{bucket}/{start}", recursive=True):
            if matches(key, buckets.split_uri(found.uri)[1]):
                yield found.uri
    elif not key or key.endswith("/"):
        for found in buckets.listed(uri, recursive=recursive):
            if suffix_of(found.uri) in SUFFIXES:
                yield found.uri
    else:
        yield uri


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*|\?|\[[^\]]+\])", pattern)
    wild = {"*": "[^/]*", "?": "[^/]", "**": ".*", "**/": "(?:.*/)?"}
    return re.compile(
        "".join(
            wild.get(part) or (_class(part) if part.startswith("[") else re.escape(part))
            for part in parts
        ),
        re.DOTALL,
    )


def _class(part: str) -> str:
    body = part[1:-1].replace("\\", "\\\\")
    if len(part) < 3 or not part.endswith("]"):
        return re.escape(part)
    return f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]"
