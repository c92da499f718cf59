# SPDX-License-Identifier: Apache-2.0
"""Files that appear under their names when they are complete."""

import os
import uuid
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there, so that no reader sees half of it.

    Raises:
        OSError: if the file cannot be written; a file that was there before is left as it was.
    """
    partial = path.with_name(f".trireel-{uuid.uuid4().hex}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
