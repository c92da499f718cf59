# SPDX-License-Identifier: Apache-2.0
"""Files that the set-up makes: each whole or not at all."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def environment_folder() -> Path:
    """Return the folder of the models that the set-up makes in this Python environment."""
    return Path(sys.prefix) / "share/trireel"


def write_whole(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files by name into a folder, which is made if needed; each whole or not at all.

    The files appear in the order of `contents`.

    Raises:
        OSError: if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        unfinished = folder / f".{name}.{os.getpid()}"
        try:
            unfinished.write_bytes(content)
            unfinished.replace(folder / name)
        finally:
            unfinished.unlink(missing_ok=True)
