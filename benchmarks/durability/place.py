# SPDX-License-Identifier: Apache-2.0
"""A server, clips and databases, and the commands that work on them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.footprint import Footprint
from benchmarks.common.record import ROOT
from trireel_app.engine.database import VARIABLE

TRITON = "tritonserver"
LEASE_SECONDS = 5.0
OUTPUT = "out.jsonl"


@dataclass(frozen=True)
class Place:
    """What all runs share."""

    folder: Path
    """Folder for outputs and databases."""
    address: str
    """gRPC of the server."""
    footprint: Footprint
    """Processes of the server."""

    def kill_triton(self) -> None:
        """Kill Triton; the launcher starts it again."""
        for process in self.footprint.family():
            if process.name() == TRITON:
                process.kill()

    @contextmanager
    def batch(
        self, sources: Sequence[Path], output: Path, database: str, *options: str
    ) -> Iterator["subprocess.Popen[str]"]:
        """Run `trireel batch` in a process, which is killed at the end if it still runs."""
        output.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "trireel_client", "batch", *map(str, sources)]
        command += ["--output", str(output), "--url", self.address, "--quiet", "--rows", "videos"]
        command += ["--lease-seconds", f"{LEASE_SECONDS:g}", *options]
        with start(command, database) as process:
            yield process


@contextmanager
def start(command: Sequence[str], database: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command on a database, with its output in a pipe."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, VARIABLE: database},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def files_of(output: Path) -> dict[str, bytes]:
    """Return the files of an output by their names: rows, failures, manifest."""
    return {
        path.name: path.read_bytes() for path in sorted(output.parent.iterdir()) if path.is_file()
    }
