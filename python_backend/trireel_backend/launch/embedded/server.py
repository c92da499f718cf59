# SPDX-License-Identifier: Apache-2.0
"""Run the embedded tritonserver: on loopback, with the wheel's binary, libraries and stub."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from trireel_backend.launch.embedded.wheel import (
    find_wheel,
    make_backend_folder,
    server_environment,
)
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.flags import arguments, common_flags
from trireel_backend.launch.folders import folder_parameters, split_private
from trireel_backend.launch.kept_logs import log_kept_if_failed
from trireel_backend.launch.model_options import OwnTexts
from trireel_backend.launch.own_texts import export_with_texts
from trireel_backend.launch.ports import LOOPBACK, Ports, authority, check_ports
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.launch.repository.describe import backends_parameter
from trireel_backend.launch.run_folder import RunFolder, run_folder
from trireel_backend.launch.server import MODELS_ENVIRONMENT, Launch, RunningServer, running_server
from trireel_backend.whole_video.admission import Admission
from trireel_schema.metadata import Metadata

__all__ = ["Ports", "RunningServer", "ServerOptions", "embedded_launch", "embedded_server"]

HOST = LOOPBACK  # other machines must not reach the embedded release
READY_SECONDS = 120.0
STOP_SECONDS = 10
EXIT_SECONDS = 10


@dataclass(frozen=True)
class ServerOptions:
    """The options of an embedded server."""

    models: Path
    """Folder of model folders."""
    export: Path
    """Output folder of trireel-export."""
    media_root: Path
    """Folder of videos that requests name by path."""
    profile: str = "embedded"
    """Name of the models' configs/<profile>.pbtxt to use."""
    ports: Ports = field(default_factory=Ports)
    instances: dict[str, int] = field(default_factory=dict)
    """Number of instances by model name; other models keep the number in their config."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Values of the models' parameters by name; others keep the value in the config."""
    client_shared_memory: bool = False
    """Let clients pass tensors in shared memory; they can then access the models' memory too."""
    stop_seconds: int = STOP_SECONDS
    """Seconds that a stop waits for videos in flight; for sequences without END at most 10 s."""
    ready_seconds: float = READY_SECONDS
    """Seconds that loading the models may take."""
    shots: Path | None = None
    """Folder of the model `shot_boundary`; None for a server without it."""
    texts: OwnTexts = field(default_factory=OwnTexts)
    """Tags and descriptions that replace those of the export."""
    text_models: Path | None = None
    """Folder of the models that read text; None for a server without them."""
    detector: Path | None = None
    """Folder of the model `object_detector`; None for a server without it."""
    describe: Path | None = None
    """File of the backends of `describe`; None for a server without it."""
    log: Path | None = None
    """File for Triton's log; None for one in the run's folder, which is removed at the end."""


@contextlib.contextmanager
def embedded_server(options: ServerOptions) -> Iterator[RunningServer]:
    """Run a server for the length of the context; remove all of its files afterwards.

    Raises:
        StartupError: if a part is missing, a port is in use, Triton does not become ready, or its
            models do not answer as the checkpoint does.
    """
    with (
        embedded_launch(options) as launch,
        log_kept_if_failed(launch.log),
        running_server(launch) as server,
    ):
        yield server


@contextlib.contextmanager
def embedded_launch(options: ServerOptions) -> Iterator[Launch]:
    """Prepare a server that `running_server` starts; remove all of its files afterwards.

    Raises:
        StartupError: if a part is missing, or a port is in use.
    """
    check_ports(HOST, options.ports)
    with run_folder() as run:
        export = export_with_texts(options.texts, options.export, run.path / "export", _report)
        options = replace(options, export=export)
        yield _launch(options, run, *_assemble(options, run))


def _report(sentence: str) -> None:
    print(f"trireel-serve: {sentence}", file=sys.stderr)


def _assemble(options: ServerOptions, run: RunFolder) -> tuple[Metadata, dict[str, str]]:
    """Assemble the repository; return the export's metadata and environment variables."""
    run.spool.mkdir()
    parameters = folder_parameters(
        options.parameters, media=options.media_root, spool=run.spool, run=run
    )
    public, private = split_private({**parameters, **backends_parameter(options.describe)})
    make_backend_folder(find_wheel(), run.backends)
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=public,
        instances=options.instances,
        shots=options.shots,
        text_models=options.text_models,
        detector=options.detector,
        describe=options.describe,
    )
    return assemble(assembly, run.models), private


def _launch(
    options: ServerOptions, run: RunFolder, metadata: Metadata, private: dict[str, str]
) -> Launch:
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
        environment=server_environment(wheel, run.python) | MODELS_ENVIRONMENT | private,
        ports=options.ports,
        endpoint=Endpoint(authority(HOST, options.ports.grpc)),
        export=options.export,
        metadata=metadata,
        run=run,
        admission=Admission(run.admission),
        ready_seconds=options.ready_seconds,
        stop_seconds=options.stop_seconds,
        exit_seconds=exit_seconds,
        log=options.log or run.path / "triton.log",
        shots=options.shots,
        detector=options.detector,
        text_models=options.text_models,
    )
