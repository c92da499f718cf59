# SPDX-License-Identifier: Apache-2.0
"""Triton's log after a failure: kept although the run's folder is removed."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trireel_backend.errors import StartupError

KEPT_LOG_PREFIX = "trireel-ended-"
KEPT_LOGS = 5


@contextlib.contextmanager
def log_kept_if_failed(log: Path | None) -> Iterator[None]:
    """Copy the log if the context ends by a StartupError, and name the copy in the message.

    Raises:
        StartupError: the error of the context.
    """
    try:
        yield
    except StartupError as error:
        kept = None
        if log is not None and log.is_file():
            with contextlib.suppress(OSError):
                kept = keep_log(log)
        if kept is None:
            raise
        raise type(error)(f"{error}\nthe whole log: {kept}") from error


def keep_log(log: Path) -> Path:
    """Copy the log of a server that ended to the temporary folder; return the copy's path.

    Of the user's logs there, the newest five stay.

    Raises:
        OSError: if the log cannot be copied.
    """
    number, name = tempfile.mkstemp(prefix=KEPT_LOG_PREFIX, suffix=".log")
    os.close(number)
    kept = Path(name)
    try:
        shutil.copyfile(log, kept)
    except OSError:
        kept.unlink(missing_ok=True)
        raise
    _remove_old_logs(kept.parent)
    return kept


def _remove_old_logs(folder: Path) -> None:
    logs = []
    for path in folder.glob(f"{KEPT_LOG_PREFIX}*.log"):
        with contextlib.suppress(OSError):  # removed by another launcher
            status = path.lstat()
            if status.st_uid == os.getuid():
                logs.append((status.st_mtime_ns, path))
    for _, path in sorted(logs)[:-KEPT_LOGS]:
        path.unlink(missing_ok=True)
