# SPDX-License-Identifier: Apache-2.0
"""All videos that a command names, each once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trireel_app.errors import InvalidOption
from trireel_app.sources.listing import uris_of
from trireel_app.sources.source import VideoSource
from trireel_app.sources.tables import rows_in, uris_in


@dataclass(frozen=True)
class SourceOptions:
    """The videos as a person names them."""

    names: tuple[str, ...] = ()
    """Files, folders, patterns and URIs."""
    recursive: bool = False
    """True to take the videos in folders below too."""
    uri_files: tuple[Path, ...] = ()
    """Text files with one such name a line."""
    manifests: tuple[Path, ...] = ()
    """CSV, JSONL and Parquet files with a video a row, and its options."""


def expand(options: SourceOptions) -> Iterator[VideoSource]:
    """Yield each video once, in the order in which it is named first.

    One video with two sets of options counts as two.

    Raises:
        InvalidOption: if nothing is named, a name stands for no video, or a file cannot be read.
        LibraryError: if a bucket cannot be listed.
    """
    if not (options.names or options.uri_files or options.manifests):
        raise InvalidOption("got no videos: give files, folders, patterns or URIs")
    seen: set[str] = set()
    for source in _named(options):
        _check_text(source.uri)
        key = json.dumps([source.uri, source.options], sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield source


def _check_text(uri: str) -> None:
    """Reject a name that no database can keep; raises InvalidOption."""
    try:
        uri.encode()
    except UnicodeEncodeError as error:
        raise InvalidOption(f"the name {uri!r} is not UTF-8: rename the file") from error
    if "\0" in uri:
        raise InvalidOption(f"the name {uri!r} holds NUL: give another")


def _named(options: SourceOptions) -> Iterator[VideoSource]:
    for name in options.names:
        for uri in uris_of(name, recursive=options.recursive):
            yield VideoSource(uri)
    for file in options.uri_files:
        for name in uris_in(file):
            for uri in uris_of(name, recursive=options.recursive):
                yield VideoSource(uri)
    for file in options.manifests:
        for name, own in rows_in(file):
            for uri in uris_of(name, recursive=options.recursive):
                yield VideoSource(uri, own)
