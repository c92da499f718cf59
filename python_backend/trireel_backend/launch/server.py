# SPDX-License-Identifier: Apache-2.0
"""Start, check, watch and stop a tritonserver."""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from trireel_backend.errors import NotReady
from trireel_backend.launch.canary import CALL_SECONDS, check_canary, wait_until_ready
from trireel_backend.launch.children import is_alive, living_children
from trireel_backend.launch.detector_canary import request_known_detections
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.limits import RETURN_MEMORY, UMASK, prepare_server
from trireel_backend.launch.ports import Ports
from trireel_backend.launch.run_folder import RunFolder
from trireel_backend.launch.shot_canary import request_known_window
from trireel_backend.launch.text_canary import request_known_text
from trireel_backend.whole_video.admission import Admission
from trireel_backend.wire.request import INNER_WORD_VARIABLE
from trireel_schema.metadata import Metadata

MODELS_ENVIRONMENT = {
    # Every instance is a process of its own: threads in each would compete for the CPUs.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # From 1.29 on onnxruntime reports its use to Microsoft unless this is set.
    "ORT_DISABLE_TELEMETRY": "1",
    **RETURN_MEMORY,
}
"""Environment variables for the processes of the server and of its models."""
UNLOAD_GRACE_SECONDS = 20.0  # models are unloaded one instance after another
START_ATTEMPTS = 2  # if Triton aborts before it is ready
LOG_EXCERPT_LINES = 6
HARMLESS = ("CudaDriverHelper",)  # an error line of every Triton on a machine without a GPU
LOG_LINE_CHARACTERS = 400
WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class Launch:
    """A tritonserver to start, and how to check, watch and stop it."""

    command: Sequence[str]
    """Path of the binary, followed by its flags."""
    environment: Mapping[str, str]
    """Environment variables of the server's process."""
    ports: Ports
    endpoint: Endpoint
    """The server's gRPC port, as this machine reaches it."""
    export: Path
    """Output folder of trireel-export."""
    metadata: Metadata
    run: RunFolder
    """The files of this run."""
    admission: Admission
    """The record of videos in flight, which also rejects new ones during a stop."""
    ready_seconds: float
    """Seconds that loading the models may take."""
    stop_seconds: float
    """Seconds that a stop waits for videos in flight."""
    exit_seconds: float
    """Seconds that Triton then waits for single requests and for sequences without END."""
    log: Path | None
    """File for Triton's log; None to write it to this process's output."""
    shots: Path | None = None
    """Folder of the model `shot_boundary`; None if the server has none."""
    detector: Path | None = None
    """Folder of the model `object_detector`; None if the server has none."""
    text_models: Path | None = None
    """Folder of the models that read text; None if the server has none."""


@dataclass(frozen=True)
class RunningServer:
    """A server whose models are loaded and answer correctly."""

    process: "subprocess.Popen[bytes]"
    ports: Ports
    metadata: Metadata
    version: str
    """Triton's version, from its v2 metadata."""
    models: int
    """Number of models."""
    log: Path | None
    """File of Triton's log; None if it goes to this process's output."""
    stubs: frozenset[int]
    """Process ids of the models' instances."""


@contextlib.contextmanager
def running_server(launch: Launch) -> Iterator[RunningServer]:
    """Run a server for the length of the context; afterwards none of its processes is left.

    Raises:
        NotReady: if Triton does not become ready.
        CanaryFailed: if its models do not answer as the checkpoint does.
    """
    for attempt in range(1, START_ATTEMPTS + 1):
        with _process(launch) as process:
            try:
                version, models = _wait_until_well(process, launch)
            except NotReady:
                # Seen on busy machines: boost's lock_exception while the models' processes start.
                if process.poll() == -signal.SIGABRT and attempt < START_ATTEMPTS:
                    continue
                raise
            yield RunningServer(
                process=process,
                ports=launch.ports,
                metadata=launch.metadata,
                version=version,
                models=models,
                log=launch.log,
                stubs=frozenset(living_children(process.pid)),
            )
            return


def watch(server: RunningServer, each_time: Callable[[], None] = lambda: None) -> NoReturn:
    """Wait until the server fails.

    Triton does not restart a model's process that died; before 26.04 it even continues to report
    that it is ready.

    Args:
        each_time: called between two checks.

    Raises:
        NotReady: if Triton ended, or a process of one of its models did.
    """
    while server.process.poll() is None:
        if not all(map(is_alive, server.stubs)):
            raise NotReady("a process of one of the models died, and Triton does not restart it")
        each_time()
        time.sleep(WATCH_SECONDS)
    how = _exit_description(server.process.poll()) or "ended"
    raise NotReady(f"Triton {how} without a request to stop")


@contextlib.contextmanager
def _process(launch: Launch) -> Iterator["subprocess.Popen[bytes]"]:
    with contextlib.ExitStack() as stack:
        output: IO[bytes] | None = None
        if launch.log is not None:
            output = stack.enter_context(launch.log.open("wb"))
        process = subprocess.Popen(
            list(launch.command),
            env={**launch.environment, INNER_WORD_VARIABLE: secrets.token_hex(16)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal reaches the launcher alone
            umask=UMASK,
            preexec_fn=prepare_server,
        )
    try:
        yield process
    finally:
        _stop(process, launch)


def _wait_until_well(process: "subprocess.Popen[bytes]", launch: Launch) -> tuple[str, int]:
    def is_alive() -> bool:
        launch.run.close_regions()  # the models make theirs while they are loaded
        return process.poll() is None

    deadline = time.monotonic() + launch.ready_seconds
    if not wait_until_ready(launch.endpoint, deadline, is_alive):
        state = _exit_description(process.poll()) or f"was not ready in {launch.ready_seconds:g} s"
        raise NotReady(f"Triton {state}; {_log_reference(launch.log)}")
    launch.run.close_regions()
    if launch.shots is not None:
        request_known_window(launch.endpoint, launch.shots, CALL_SECONDS)
    if launch.detector is not None:
        request_known_detections(launch.endpoint, launch.detector, CALL_SECONDS)
    if launch.text_models is not None:
        request_known_text(launch.endpoint, launch.text_models, CALL_SECONDS)
    return check_canary(launch.endpoint, launch.export)


def _exit_description(status: int | None) -> str | None:
    """Return how a process with this exit status ended, None if it has no status yet."""
    if status is None:
        return None
    return f"ended by {signal.Signals(-status).name}" if status < 0 else "ended"


def _log_reference(log: Path | None) -> str:
    if log is None:
        return "its log, above, says why"
    return f"from its log:\n{log_excerpt(log)}"


def log_excerpt(log: Path) -> str:
    """Return the first errors in the log, or its end if it has none."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [
        line
        for line in lines
        if line.startswith(("E", "error:")) and not any(word in line for word in HARMLESS)
    ]
    excerpt = errors[:LOG_EXCERPT_LINES] or lines[-LOG_EXCERPT_LINES:]
    return "\n".join(line[:LOG_LINE_CHARACTERS] for line in excerpt)


def _stop(process: "subprocess.Popen[bytes]", launch: Launch) -> None:
    """Let videos in flight finish, then end all processes of the server's session."""

    def is_alive() -> bool:
        return process.poll() is None

    try:
        if is_alive():  # if it died during its start, the next attempt must accept videos
            launch.admission.close()
        if is_alive() and not launch.admission.is_idle():
            print(
                f"Trireel is stopping: up to {launch.stop_seconds:g} s for the videos in flight",
                flush=True,
            )
            launch.admission.wait_until_idle(time.monotonic() + launch.stop_seconds, alive=is_alive)
        if is_alive():
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(launch.exit_seconds + UNLOAD_GRACE_SECONDS)
    finally:  # also if a signal interrupts the wait
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # stubs share the session of their server
        process.wait()
