# SPDX-License-Identifier: Apache-2.0
"""Triton's log after a failed start: kept although the run's folder is removed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.restarts import keep_log


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
