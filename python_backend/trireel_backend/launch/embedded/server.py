# SPDX-License-Identifier: Apache-2.0
"""The embedded tritonserver: on loopback, with the wheel's binary, libraries and stub."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trireel_backend.launch.embedded.wheel import (
    find_wheel,
    make_backend_folder,
    server_environment,
)
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.flags import arguments, common_flags
from trireel_backend.launch.folders import folder_parameters
from trireel_backend.launch.ports import LOOPBACK, Ports, authority, check_ports
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.launch.run_folder import RunFolder, run_folder
from trireel_backend.launch.server import MODELS_ENVIRONMENT, Launch, RunningServer, running_server
from trireel_backend.whole_video.admission import Admission
from trireel_schema.metadata import Metadata

__all__ = ["Ports", "RunningServer", "ServerOptions", "embedded_server"]

HOST = LOOPBACK  # the embedded release is not for other machines to reach
READY_SECONDS = 120.0
STOP_SECONDS = 10
EXIT_SECONDS = 10


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
    client_shared_memory: bool = False
    """Whether clients may pass tensors in shared memory; they can then reach the models' own."""
    stop_seconds: int = STOP_SECONDS
    """How long a stop waits for videos under way, and at most 10 s for sequences without END."""
    log: Path | None = None
    """Where Triton's log goes; by default into the run's folder, gone after a clean stop."""


@contextlib.contextmanager
def embedded_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Run a server for the length of the context; afterwards nothing of it is left.

    Raises:
        StartupError: a part is missing, a port is taken, Triton did not become ready, or its
            models do not answer as the checkpoint does.
    """
    check_ports(HOST, options.ports)
    with run_folder() as run:
        metadata = _lay_out(options, run)
        with running_server(_launch(options, run, metadata)) as server:
            yield server


def _lay_out(options: ServerOptions, run: RunFolder) -> Metadata:
    run.spool.mkdir()
    parameters = folder_parameters(
        options.parameters, media=options.media_root, spool=run.spool, run=run
    )
    make_backend_folder(find_wheel(), run.backends)
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=parameters,
        instances=options.instances,
    )
    return assemble(assembly, run.models)


def _launch(options: ServerOptions, run: RunFolder, metadata: Metadata) -> Launch:
    wheel = find_wheel()
    exit_seconds = min(options.stop_seconds, EXIT_SECONDS)
    flags = common_flags(
        repository=run.models,
        backends=run.backends,
        address=HOST,
        ports=options.ports,
        exit_seconds=exit_seconds,
        client_shared_memory=options.client_shared_memory,
    )
    flags["allow-gpu-metrics"] = "false"
    return Launch(
        command=[str(wheel.server), *arguments(flags, run.shm_prefix)],
        environment=server_environment(wheel, run.python) | MODELS_ENVIRONMENT,
        ports=options.ports,
        endpoint=Endpoint(authority(HOST, options.ports.grpc)),
        export=options.export,
        metadata=metadata,
        admission=Admission(run.admission),
        ready_seconds=READY_SECONDS,
        stop_seconds=options.stop_seconds,
        exit_seconds=exit_seconds,
        log=options.log or run.path / "triton.log",
    )
