# SPDX-License-Identifier: Apache-2.0
"""Files that appear under their names when they are complete."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it.

    Raises:
        OSError: if the file cannot be written; a file that was there before is left as it was.
    """
    with whole_file(path) as partial:
        partial.write_bytes(content)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield the name of a file to write beside `path`, and move it there at the end.

    If the block fails, the file is removed, and a file that was there before is left as it was.

    Raises:
        OSError: if the file cannot be made or moved.
    """
    partial = path.with_name(f".trireel-{uuid.uuid4().hex}.part")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
