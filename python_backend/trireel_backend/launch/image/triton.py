# SPDX-License-Identifier: Apache-2.0
"""Find Triton in NVIDIA's image, and the flags that its release has."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import MissingPart

HELP_SECONDS = 60.0
_FLAG = re.compile(r"^\s*--([a-z0-9-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Triton:
    """An installed Triton."""

    server: Path
    """Path of the tritonserver binary."""
    backends: Path
    """Folder of Triton's backends, each a folder."""
    flags: frozenset[str]
    """Names of the flags that tritonserver has."""


def find_triton(folder: Path) -> Triton:
    """Return the Triton in a folder like /opt/tritonserver.

    Raises:
        MissingPart: if there is none, or it cannot be run.
    """
    server, backends = folder / "bin/tritonserver", folder / "backends"
    for part in (server, backends / "python"):
        if not part.exists():
            raise MissingPart(
                f"{part} is not there: run this in NVIDIA's tritonserver image (-py3), or set"
                " --triton to a folder like its /opt/tritonserver"
            )
    return Triton(server, backends, _flag_names(server))


def _flag_names(server: Path) -> frozenset[str]:
    try:
        result = subprocess.run(
            [server, "--help"], capture_output=True, text=True, timeout=HELP_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"{server} cannot be run: {error}") from error
    flags = frozenset(_FLAG.findall(result.stdout + result.stderr))
    if "model-repository" not in flags:
        output = (result.stderr or result.stdout).strip()[-400:]
        raise MissingPart(f"{server} --help does not list its flags: {output}")
    return flags
