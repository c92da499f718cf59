# SPDX-License-Identifier: Apache-2.0
"""The audit log: a line of JSON for each change and each rejection, without secrets."""

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger("trireel.audit")
FILE_MODE = 0o600


class AuditLog:
    """Writes who did what; a key appears by its id only."""

    def __init__(self, file: Path | None) -> None:
        """Take the file; None for the logger `trireel.audit`. OSError if it cannot be opened."""
        self._file = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(FILE_MODE)
            self._file = file.open("a", encoding="utf-8", buffering=1)

    def write(self, event: str, facts: Mapping[str, Any]) -> None:
        """Write an event with its facts."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"at": at, "event": event, **facts})
        if self._file is None:
            LOGGER.info(line)
        else:
            self._file.write(line + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
