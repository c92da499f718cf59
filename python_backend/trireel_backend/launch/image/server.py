# SPDX-License-Identifier: Apache-2.0
"""Run the tritonserver of a container: assemble, start and check it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import MissingPart
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.engines.names import find_engine
from trireel_backend.launch.engines.shots import find_shot_engine
from trireel_backend.launch.flags import arguments, common_flags
from trireel_backend.launch.folders import folder_parameters
from trireel_backend.launch.image.flags import container_flags
from trireel_backend.launch.image.options import ContainerOptions
from trireel_backend.launch.image.triton import Triton, find_triton
from trireel_backend.launch.ports import authority, check_ports
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.launch.run_folder import SHARED_MEMORY, RunFolder, run_folder
from trireel_backend.launch.server import MODELS_ENVIRONMENT, Launch, RunningServer, running_server
from trireel_backend.whole_video.admission import Admission
from trireel_schema.files import METADATA_FILE
from trireel_schema.metadata import Metadata

EXIT_SECONDS = 10.0
LEAST_SHM_BYTES = (
    512 * 2**20
)  # the largest requests of a few extractors at 384 px; Docker's default is 64 MB
ENGINE_PROFILE = "tensorrt"


@contextlib.contextmanager
def container_server(options: ContainerOptions) -> Iterator[RunningServer]:
    """Run a server for the length of the context; remove all of its files afterwards.

    Triton's log goes to the output of this process.

    Raises:
        StartupError: if a part is missing, a port is in use, Triton does not become ready, or its
            models do not answer as the checkpoint does.
    """
    triton = find_triton(options.triton)
    check_ports(options.listen, options.ports)
    _check_shared_memory()
    with run_folder() as run:
        metadata = _assemble(options, run)
        with running_server(_launch(options, triton, run, metadata)) as server:
            yield server


def _assemble(options: ContainerOptions, run: RunFolder) -> Metadata:
    parameters = folder_parameters(
        options.model_options.parameters(), media=options.media, spool=options.spool, run=run
    )
    _check_spool(options.spool)
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=parameters,
        instances=options.model_options.instances(),
        engine=_engine(options),
        shots=options.shots,
        shot_engine=_shot_engine(options),
    )
    return assemble(assembly, run.models)


def _engine(options: ContainerOptions) -> Path | None:
    if options.profile != ENGINE_PROFILE:
        return None
    return find_engine(options.engines, load_metadata(options.export / METADATA_FILE))


def _shot_engine(options: ContainerOptions) -> Path | None:
    if options.profile != ENGINE_PROFILE or options.shots is None:
        return None
    return find_shot_engine(options.engines)


def _launch(
    options: ContainerOptions, triton: Triton, run: RunFolder, metadata: Metadata
) -> Launch:
    flags = common_flags(
        repository=run.models,
        backends=triton.backends,
        address=options.listen,
        ports=options.ports,
        exit_seconds=EXIT_SECONDS,
    )
    flags |= container_flags(options, triton.flags)
    return Launch(
        command=[str(triton.server), *arguments(flags, run.shm_prefix)],
        environment=os.environ | MODELS_ENVIRONMENT,
        ports=options.ports,
        endpoint=Endpoint(
            authority(options.listen, options.ports.grpc),
            None if options.tls is None else options.tls.client_tls(),
        ),
        export=options.export,
        metadata=metadata,
        admission=Admission(run.admission),
        ready_seconds=options.ready_seconds,
        stop_seconds=options.stop_seconds,
        exit_seconds=EXIT_SECONDS,
        log=None,
        shots=options.shots,
    )


def _check_shared_memory() -> None:
    size = os.statvfs(SHARED_MEMORY)
    if size.f_frsize * size.f_blocks < LEAST_SHM_BYTES:
        raise MissingPart(
            f"{SHARED_MEMORY} has {size.f_frsize * size.f_blocks // 2**20} MiB, and the models pass"
            f" frames to each other through it: give it {LEAST_SHM_BYTES // 2**20} MiB or more"
            " (docker --shm-size, Kubernetes emptyDir with medium Memory)"
        )


def _check_spool(spool: Path) -> None:
    if not os.access(spool, os.W_OK | os.X_OK):
        raise MissingPart(
            f"{spool} cannot be written by user {os.getuid()}: let that user own it, or give"
            " another --spool"
        )
