# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own, from its command line to its stop."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.common.footprint import Footprint
from benchmarks.common.record import ROOT
from trireel_backend.launch.ports import LOOPBACK, Ports

EXPORT = ROOT / "export/tiny/model"
"""The export that a server has by default."""
READY_SECONDS = 180.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02
LOG_LINES = 25
CPU_ENVIRONMENT = {"ORT_DISABLE_TELEMETRY": "1"}


@dataclass(frozen=True)
class Command:
    """The command line of a server."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    address: str
    """Address that requests are sent to, HOST:PORT; Trireel's is that of gRPC."""
    ready: str
    """Part of the line that the server prints when it is ready."""
    http: str = ""
    """Trireel's address for HTTP."""
    metrics: str = ""
    """Trireel's address for metrics."""


def served(*options: str, **environment: str) -> Command:
    """Return the command of Trireel's embedded server, on free ports and with these options."""
    ports = Ports.free()
    grpc, http, metrics = (f"{LOOPBACK}:{p}" for p in (ports.grpc, ports.http, ports.metrics))
    arguments = [sys.executable, "-m", "trireel_backend.launch.embedded.cli"]
    arguments += ["--http-port", str(ports.http), "--grpc-port", str(ports.grpc)]
    arguments += ["--metrics-port", str(ports.metrics), *options]
    return Command("trireel", arguments, environment, grpc, "Trireel is ready", http, metrics)


@contextlib.contextmanager
def running(command: Command) -> Iterator[tuple[Footprint, float]]:
    """Run a server; yields its footprint, and the monotonic time of its start."""
    with tempfile.TemporaryDirectory(prefix="trireel-benchmark-") as folder:
        log = Path(folder) / "log"
        began = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command.arguments,
                cwd=ROOT,
                env={**os.environ, **command.environment, **CPU_ENVIRONMENT},
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
            raise RuntimeError("a server did not become ready:\n" + "\n".join(lines))
        time.sleep(POLL_SECONDS)


def _stop(process: "subprocess.Popen[bytes]", footprint: Footprint) -> None:
    """Stop a server, and kill the processes that it leaves."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = footprint.family()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        _, left = psutil.wait_procs(family, timeout=2)
        for survivor in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                survivor.kill()
    process.wait()
