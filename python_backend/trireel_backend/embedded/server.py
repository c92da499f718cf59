# SPDX-License-Identifier: Apache-2.0
"""Starting, watching and stopping the embedded tritonserver."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from trireel_backend.artifacts import Metadata
from trireel_backend.embedded.assemble import Assembly, assemble
from trireel_backend.embedded.canary import check_canary, wait_until_ready
from trireel_backend.embedded.run_folder import RunFolder, run_folder
from trireel_backend.embedded.wheel import find_wheel, make_backend_folder, server_environment
from trireel_backend.errors import NotReady, PortBusy
from trireel_backend.processes import end_with_parent
from trireel_backend.settings import FolderSettings, read_settings

HOST = "127.0.0.1"  # the embedded release is not for other machines to reach
READY_SECONDS = 120.0
STOP_SECONDS = 10
UNLOAD_GRACE_SECONDS = 20.0  # models are unloaded one instance after another
SHM_DEFAULT_BYTES = 4 * 2**20  # of each instance; a chunk of 16 frames at 224 px takes 2.4 MB
SHM_GROWTH_BYTES = 16 * 2**20  # a region never shrinks, so it must not grow in small steps often
LOG_EXCERPT_LINES = 6
LOG_LINE_CHARACTERS = 400
WATCH_SECONDS = 0.5
ADMIN_APIS = ("model-repository", "shared-memory", "trace", "logging")


@dataclass(frozen=True)
class Ports:
    """Where the server listens, on loopback."""

    http: int = 8000
    grpc: int = 8001
    metrics: int = 8002

    def __post_init__(self) -> None:
        if len({self.http, self.grpc, self.metrics}) != 3:
            raise PortBusy(f"got ports {self}: HTTP, gRPC and metrics need one each")

    @classmethod
    def free(cls) -> "Ports":
        """Return ports that nobody listens on now."""
        with contextlib.ExitStack() as probes:
            sockets = [probes.enter_context(socket.socket()) for _ in range(3)]
            for probe in sockets:
                probe.bind((HOST, 0))
            return cls(*(probe.getsockname()[1] for probe in sockets))


@dataclass(frozen=True)
class ServerOptions:
    """What the embedded server is started with."""

    models: Path
    export: Path
    media_root: Path
    profile: str = "embedded"
    ports: Ports = field(default_factory=Ports)
    instances: dict[str, int] = field(default_factory=dict)
    """Instances of the models of these names, where not as configured."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Values for the models' parameters of these names, where not as configured."""
    stop_seconds: int = STOP_SECONDS
    """How long a stop waits for requests under way, and for sequences without their END."""
    log: Path | None = None
    """Where Triton's log goes; by default into the run's folder, gone after a clean stop."""


@dataclass(frozen=True)
class RunningServer:
    """A server whose models are loaded and answer right."""

    process: "subprocess.Popen[bytes]"
    ports: Ports
    metadata: Metadata
    version: str
    """Triton's own, from its v2 metadata."""
    models: int
    log: Path
    stubs: frozenset[int]
    """Process ids of the models' instances."""


@contextlib.contextmanager
def embedded_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Run a server for the length of the context; afterwards nothing of it is left.

    Raises:
        StartupError: a part is missing, a port is taken, Triton did not become ready, or its
            models do not answer as the checkpoint does.
    """
    _check_ports(options.ports)
    with run_folder() as run:
        metadata = _lay_out(options, run.path)
        log = options.log or run.path / "triton.log"
        with _process(_arguments(options, run), log, options.stop_seconds) as process:
            version, models = _wait(process, options, log)
            stubs = frozenset(_living_children(process.pid))
            yield RunningServer(process, options.ports, metadata, version, models, log, stubs)


def watch(server: RunningServer) -> NoReturn:
    """Wait until the server fails.

    Triton does not start a model's process again when it dies, and goes on calling itself ready.

    Raises:
        NotReady: Triton ended, or a process of one of its models did.
    """
    while server.process.poll() is None:
        if not server.stubs <= _living_children(server.process.pid):
            raise NotReady(
                "a process of one of the models died, and Triton does not start it again: start the"
                " server anew, with --log FILE to see why"
            )
        time.sleep(WATCH_SECONDS)
    raise NotReady("Triton ended by itself: start again with --log FILE to keep its log")


def _living_children(process_id: int) -> set[int]:
    """Return the children of all threads of a process, but for those that only await a wait()."""
    children: set[int] = set()
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            children.update(int(child) for child in task.read_text().split())
    return {child for child in children if _lives(child)}


def _lives(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _check_ports(ports: Ports) -> None:
    for name, port in (("HTTP", ports.http), ("gRPC", ports.grpc), ("metrics", ports.metrics)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError as error:
                raise PortBusy(
                    f"port {port} ({name}) on {HOST} cannot be used ({error.strerror}): stop what"
                    f" listens there or choose another with --{name.lower()}-port"
                ) from error


def _lay_out(options: ServerOptions, folder: Path) -> Metadata:
    (folder / "spool").mkdir()
    parameters = {
        **options.parameters,
        "media_root": str(options.media_root.resolve()),
        "spool": str(folder / "spool"),
    }
    read_settings(FolderSettings, parameters).folders()  # better now than in every model's log
    make_backend_folder(find_wheel(), folder / "backends")
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=parameters,
        instances=options.instances,
    )
    return assemble(assembly, folder / "models")


@contextlib.contextmanager
def _process(
    arguments: Sequence[str], log: Path, stop_seconds: int
) -> Iterator["subprocess.Popen[bytes]"]:
    wheel = find_wheel()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(wheel.server), *arguments],
            env=server_environment(wheel),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal reaches the launcher alone
            # A launcher that is killed cannot stop its server: the kernel does.
            preexec_fn=partial(end_with_parent, signal.SIGTERM),
        )
    try:
        yield process
    finally:
        _stop(process, stop_seconds)


def _arguments(options: ServerOptions, run: RunFolder) -> list[str]:
    # Nobody is told the secret: the admin APIs are closed, on both protocols.
    admin = f"{','.join(ADMIN_APIS)}:trireel-admin={secrets.token_hex(32)}"
    flags = {
        "model-repository": run.path / "models",
        "backend-directory": run.path / "backends",
        "http-address": HOST,
        "grpc-address": HOST,
        "metrics-address": HOST,
        "http-port": options.ports.http,
        "grpc-port": options.ports.grpc,
        "metrics-port": options.ports.metrics,
        "reuse-http-port": "false",
        "reuse-grpc-port": "false",
        "model-control-mode": "none",
        "exit-on-error": "true",
        "exit-timeout-secs": options.stop_seconds,
        "http-restricted-api": admin,
        "grpc-restricted-protocol": admin,
        "allow-gpu-metrics": "false",
    }
    backend = {
        "shm-region-prefix-name": run.shm_prefix,
        "shm-default-byte-size": SHM_DEFAULT_BYTES,
        "shm-growth-byte-size": SHM_GROWTH_BYTES,
    }
    return [
        "--disable-auto-complete-config",
        *(f"--{name}={value}" for name, value in flags.items()),
        *(f"--backend-config=python,{name}={value}" for name, value in backend.items()),
    ]


def _wait(process: "subprocess.Popen[bytes]", options: ServerOptions, log: Path) -> tuple[str, int]:
    url = f"{HOST}:{options.ports.grpc}"
    deadline = time.monotonic() + READY_SECONDS
    if not wait_until_ready(url, deadline, alive=lambda: process.poll() is None):
        state = "ended" if process.poll() is not None else f"was not ready in {READY_SECONDS:g} s"
        raise NotReady(f"Triton {state}; from its log:\n{_log_excerpt(log)}")
    return check_canary(url, options.export)


def _log_excerpt(log: Path) -> str:
    """Return the first errors in the log, or its end where it names none."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith(("E", "error:"))]
    excerpt = errors[:LOG_EXCERPT_LINES] or lines[-LOG_EXCERPT_LINES:]
    return "\n".join(line[:LOG_LINE_CHARACTERS] for line in excerpt)


def _stop(process: "subprocess.Popen[bytes]", stop_seconds: int) -> None:
    """Let requests under way finish, then end what is left of the server's session."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(stop_seconds + UNLOAD_GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # stubs share the session of their server
    process.wait()
