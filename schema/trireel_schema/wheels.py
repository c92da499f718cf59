# SPDX-License-Identifier: Apache-2.0
"""Published wheels out of which models are made. They are neither installed nor imported."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from trireel_schema.errors import FileDamaged, FileMissing

MOST_WHEEL_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Wheel:
    """A wheel and its hash."""

    requirement: str
    """The wheel as pip names it: project==version."""
    sha256: str
    """Hash of the file."""

    @property
    def hashed_requirement(self) -> str:
        """The line of a requirements file with which pip accepts this file alone."""
        return f"{self.requirement} --hash=sha256:{self.sha256}"


def read_wheel(path: Path, wheel: Wheel) -> bytes:
    """Return the content of a wheel's file; its hash is checked first.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it is another file or not complete.
    """
    try:
        if path.stat().st_size > MOST_WHEEL_BYTES:
            raise FileDamaged(
                f"{path} has {path.stat().st_size >> 20} MiB: give the wheel of {wheel.requirement}"
            )
        content = path.read_bytes()
    except OSError as error:
        raise FileMissing(
            f"{path} cannot be read ({error.strerror}): give the wheel of {wheel.requirement}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != wheel.sha256:
        raise FileDamaged(
            f"{path} ({len(content)} bytes) has SHA-256 {found[:12]}..., the wheel of"
            f" {wheel.requirement} has {wheel.sha256[:12]}...: fetch it again with pip"
        )
    return content
