# SPDX-License-Identifier: Apache-2.0
"""Where NVIDIA's image keeps Triton, and which of our flags that release knows."""

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
    """The tritonserver binary."""
    backends: Path
    """Folder of its backends, each a folder."""
    flags: frozenset[str]
    """Names of the flags it knows."""


def find_triton(folder: Path) -> Triton:
    """Return the Triton in a folder laid out like /opt/tritonserver.

    Raises:
        MissingPart: there is none, or it cannot be run.
    """
    server, backends = folder / "bin/tritonserver", folder / "backends"
    for part in (server, backends / "python"):
        if not part.exists():
            raise MissingPart(
                f"{part} is not there: run this in NVIDIA's tritonserver image (-py3), or give"
                " --triton the folder that is its /opt/tritonserver"
            )
    return Triton(server, backends, _known_flags(server))


def _known_flags(server: Path) -> frozenset[str]:
    try:
        done = subprocess.run(
            [server, "--help"], capture_output=True, text=True, timeout=HELP_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"{server} cannot be run: {error}") from error
    flags = frozenset(_FLAG.findall(done.stdout + done.stderr))
    if "model-repository" not in flags:
        said = (done.stderr or done.stdout).strip()[-400:]
        raise MissingPart(f"{server} --help does not list its flags: {said}")
    return flags
