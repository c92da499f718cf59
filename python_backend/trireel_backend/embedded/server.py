# SPDX-License-Identifier: Apache-2.0
"""Starting, watching and stopping the embedded tritonserver."""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trireel_backend.artifacts import Metadata
from trireel_backend.embedded.assemble import Assembly, assemble
from trireel_backend.embedded.canary import check_canary, wait_until_ready
from trireel_backend.embedded.wheel import find_wheel, make_backend_folder, server_environment
from trireel_backend.errors import NotReady, PortBusy
from trireel_backend.settings import FolderSettings, read_settings

HOST = "127.0.0.1"  # the embedded release is not for other machines to reach
READY_SECONDS = 120.0
STOP_SECONDS = 10
UNLOAD_GRACE_SECONDS = 20.0  # models are unloaded one instance after another
SHM_DEFAULT_BYTES = 4 * 2**20  # of each instance; a chunk of 16 frames at 224 px takes 2.4 MB
SHM_GROWTH_BYTES = 16 * 2**20  # a region never shrinks, so it must not grow in small steps often
LOG_EXCERPT_LINES = 6
LOG_LINE_CHARACTERS = 400
RUN_FOLDER_PREFIX = "trireel-serve-"
ADMIN_APIS = ("model-repository", "shared-memory", "trace", "logging")
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


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


@contextlib.contextmanager
def embedded_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Run a server for the length of the context; afterwards nothing of it is left.

    Raises:
        StartupError: a part is missing, a port is taken, Triton did not become ready, or its
            models do not answer as the checkpoint does.
    """
    _check_ports(options.ports)
    _sweep_abandoned()
    run_folder = Path(tempfile.mkdtemp(prefix=f"{RUN_FOLDER_PREFIX}{os.getpid()}-"))
    shm_prefix = f"trireel_{secrets.token_hex(6)}_"
    try:
        metadata = _lay_out(options, run_folder)
        log = options.log or run_folder / "triton.log"
        arguments = _arguments(options, run_folder, shm_prefix)
        with _process(arguments, log, options.stop_seconds) as process:
            version, models = _wait(process, options, log)
            yield RunningServer(process, options.ports, metadata, version, models, log)
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
        # A stub that was killed could not remove its own region.
        for region in Path("/dev/shm").glob(f"{shm_prefix}*"):
            region.unlink(missing_ok=True)


def _sweep_abandoned() -> None:
    """Remove the folders of launchers that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{RUN_FOLDER_PREFIX}*-*"):
        owner = folder.name.removeprefix(RUN_FOLDER_PREFIX).split("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


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


def _lay_out(options: ServerOptions, run_folder: Path) -> Metadata:
    (run_folder / "spool").mkdir()
    parameters = {
        **options.parameters,
        "media_root": str(options.media_root.resolve()),
        "spool": str(run_folder / "spool"),
    }
    read_settings(FolderSettings, parameters).folders()  # better now than in every model's log
    make_backend_folder(find_wheel(), run_folder / "backends")
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=parameters,
        instances=options.instances,
    )
    return assemble(assembly, run_folder / "models")


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
            preexec_fn=_die_with_parent,
        )
    try:
        yield process
    finally:
        _stop(process, stop_seconds)


def _arguments(options: ServerOptions, run_folder: Path, shm_prefix: str) -> list[str]:
    # Nobody is told the secret: the admin APIs are closed, on both protocols.
    admin = f"{','.join(ADMIN_APIS)}:trireel-admin={secrets.token_hex(32)}"
    flags = {
        "model-repository": run_folder / "models",
        "backend-directory": run_folder / "backends",
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
        "shm-region-prefix-name": shm_prefix,
        "shm-default-byte-size": SHM_DEFAULT_BYTES,
        "shm-growth-byte-size": SHM_GROWTH_BYTES,
    }
    return [
        "--disable-auto-complete-config",
        *(f"--{name}={value}" for name, value in flags.items()),
        *(f"--backend-config=python,{name}={value}" for name, value in backend.items()),
    ]


def _die_with_parent() -> None:
    # A launcher that is killed cannot stop its server: the kernel does.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


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
