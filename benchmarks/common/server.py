# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own, from its command line to its stop."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.common.footprint import Footprint
from trireel_backend.launch.ports import LOOPBACK, Ports

ROOT = Path(__file__).parents[2]
READY_SECONDS = 180.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02
LOG_LINES = 25


@dataclass(frozen=True)
class Command:
    """How a system is run; it prints a line that ends the wait for it."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    address: str
    """Where its asker goes."""
    ready: str
    """Part of the line that it prints when it is ready."""


def served(*options: str, **environment: str) -> Command:
    """Return Trireel's command, as scripts/serve runs it, on free ports and with these options."""
    ports = Ports.free()
    arguments = [
        *(sys.executable, "-m", "trireel_backend.launch.embedded.cli"),
        *("--http-port", str(ports.http), "--grpc-port", str(ports.grpc)),
        *("--metrics-port", str(ports.metrics)),
        *options,
    ]
    return Command(
        "trireel", arguments, environment, f"{LOOPBACK}:{ports.grpc}", "Trireel is ready"
    )


@contextlib.contextmanager
def running(command: Command) -> Iterator[tuple[Footprint, float]]:
    """Run a system; yields its footprint, and the monotonic time at which it was started."""
    with tempfile.TemporaryDirectory(prefix="trireel-benchmark-") as folder:
        log = Path(folder) / "log"
        began = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command.arguments,
                cwd=ROOT,
                env={**os.environ, **command.environment, "ORT_DISABLE_TELEMETRY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        footprint = Footprint(process.pid)
        try:
            _wait_until_ready(process, log, command.ready)
            yield footprint, began
        finally:
            _stop(process, footprint)


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path, ready: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while ready not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            raise RuntimeError("a system did not become ready:\n" + "\n".join(lines))
        time.sleep(POLL_SECONDS)


def _stop(process: "subprocess.Popen[bytes]", footprint: Footprint) -> None:
    """Ask it to stop, and end what is left of it then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = footprint.family()
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        _, left = psutil.wait_procs(family, timeout=2)
        for one in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()
