# SPDX-License-Identifier: Apache-2.0
"""The folder of an export: replaced as a whole, or left as it was."""

import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from trireel_export.errors import BadOutput


def require_replaceable(output: Path, names: Container[str]) -> None:
    """Raise BadOutput unless a folder is new, or holds files of these names only."""
    if not output.exists():
        return
    if not output.is_dir():
        raise BadOutput(f"{output} is a file, the export is a folder: give another name")
    if output.is_mount():
        raise BadOutput(f"{output} is a mount point, which cannot be replaced: give a folder in it")
    foreign = {entry.name for entry in output.iterdir() if entry.name not in names}
    if foreign:
        raise BadOutput(
            f"{output} holds {min(foreign)!r}, which is not part of an export and would be lost:"
            " give a new folder"
        )


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Yield a folder beside `output` that replaces it if no error is raised."""
    output = output.resolve()  # a link stays, its target is replaced
    output.parent.mkdir(parents=True, exist_ok=True)
    # Beside it and not in /tmp: a move is atomic only within one file system.
    partial, previous = (
        output.with_name(f".{output.name}.{os.getpid()}.{role}") for role in ("partial", "previous")
    )
    partial.mkdir()
    try:
        yield partial
        if output.exists():
            output.rename(previous)
        partial.rename(output)
    finally:
        if previous.exists() and not output.exists():
            previous.rename(output)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(previous, ignore_errors=True)
