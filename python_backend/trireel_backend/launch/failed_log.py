# SPDX-License-Identifier: Apache-2.0
"""Triton's log after a failure: kept although the run's folder is removed."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from trireel_backend.errors import StartupError

STATE_VARIABLE = "XDG_STATE_HOME"
NAME = "trireel/failed-server.log"


@contextlib.contextmanager
def log_kept_if_failed(log: Path | None) -> Iterator[None]:
    """Copy the log if the context ends by a StartupError, and name the copy in the message.

    The copy replaces that of an earlier failure, so that failures do not fill the disk.

    Raises:
        StartupError: the error of the context.
    """
    try:
        yield
    except StartupError as error:
        kept = None if log is None else _copy(log)
        if kept is None:
            raise
        raise type(error)(f"{error}\nthe whole log: {kept}") from error


def _copy(log: Path) -> Path | None:
    """Return the copy of a log, None if there is no log or no place for it."""
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home folder
        state = os.environ.get(STATE_VARIABLE) or Path.home() / ".local/state"
        kept = Path(state) / NAME
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        shutil.copyfile(log, kept)
        return kept
    return None
