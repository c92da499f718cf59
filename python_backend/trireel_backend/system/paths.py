# SPDX-License-Identifier: Apache-2.0
"""Paths of files whose names may contain any bytes.

Python encodes a path in its file system encoding before it opens the file. Triton's stub embeds a
Python whose encoding is ASCII, whatever the locale and PYTHONUTF8 are. It cannot open "ü".
"""

import os
from pathlib import Path


def native_path(text: str) -> Path:
    """Return the path with the UTF-8 name `text`, usable in a process of any encoding.

    Args:
        text: path, with surrogate escapes for bytes that are not UTF-8.
    """
    return Path(os.fsdecode(text.encode("utf-8", "surrogateescape")))


def path_text(path: Path) -> str:
    """Return a path as text for another process: the inverse of `native_path`."""
    return os.fsencode(path).decode("utf-8", "surrogateescape")
