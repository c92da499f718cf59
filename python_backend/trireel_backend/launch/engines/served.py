# SPDX-License-Identifier: Apache-2.0
"""Serve an engine to the gate: Triton on loopback, with only that model."""

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from trireel_backend.errors import MissingPart, NotReady
from trireel_backend.launch.canary import wait_until_ready
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.engines.subjects import Subject
from trireel_backend.launch.ports import LOOPBACK, Ports
from trireel_backend.launch.repository.assemble import assemble
from trireel_backend.system.processes import end_with_parent

READY_SECONDS = 600.0  # reading gigabytes, capturing graphs, warming up
STOP_SECONDS = 30.0
ERROR_CHARACTERS = 300


@dataclass(frozen=True)
class Sources:
    """The parts of a server."""

    models: Path
    """Folder of model folders."""
    tritonserver: Path
    """Path of the tritonserver binary."""
    log: Path
    """File to which Triton's output is appended."""


@contextlib.contextmanager
def serve_engine(sources: Sources, subject: Subject, engine: Path) -> Iterator[Endpoint]:
    """Run Triton with the engine for the length of the context.

    Raises:
        MissingPart: if there is no tritonserver, or the export is not complete.
        NotReady: if Triton does not load the engine.
    """
    port = Ports.free().grpc
    with tempfile.TemporaryDirectory(prefix="trireel-gate-") as name:
        folder = Path(name)
        (folder / "models").mkdir()
        (folder / "models" / subject.model).symlink_to((sources.models / subject.model).resolve())
        assemble(subject.assembly(folder / "models", engine), folder / "repository")
        command = [str(sources.tritonserver), *_arguments(folder / "repository", port)]
        with sources.log.open("ab") as output, child(command, output) as process:
            endpoint = Endpoint(f"{LOOPBACK}:{port}")
            deadline = time.monotonic() + READY_SECONDS
            if not wait_until_ready(endpoint, deadline, lambda: process.poll() is None):
                raise NotReady(
                    f"Triton does not load the engine: {last_error(sources.log)}; its log is"
                    f" {sources.log}"
                )
            yield endpoint


@contextlib.contextmanager
def child(command: Sequence[str], output: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for the length of the context; it does not outlive this process either.

    Raises:
        MissingPart: if the program cannot be run.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(end_with_parent, signal.SIGKILL),
        )
    except OSError as error:
        raise MissingPart(f"{command[0]} does not run: {error}") from error
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def last_error(log: Path) -> str:
    """Return the last error in a log of trtexec or Triton, or its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "[E]" in line or line.startswith("E")]
    return (errors or lines or ["the log is empty"])[-1][:ERROR_CHARACTERS]


def _arguments(repository: Path, port: int) -> list[str]:
    return [
        f"--model-repository={repository}",
        f"--grpc-address={LOOPBACK}",
        f"--grpc-port={port}",
        "--allow-http=false",
        "--allow-metrics=false",
        "--model-control-mode=none",
        "--disable-auto-complete-config",
        "--exit-on-error=true",
        "--exit-timeout-secs=5",
    ]
