# SPDX-License-Identifier: Apache-2.0
"""Run the tritonserver of a container: assemble, start and check it."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import MissingPart
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.engines.detector import find_detector_engine
from trireel_backend.launch.engines.names import find_engine
from trireel_backend.launch.engines.shots import find_shot_engine
from trireel_backend.launch.flags import arguments, common_flags
from trireel_backend.launch.folders import folder_parameters, split_private
from trireel_backend.launch.image.flags import container_flags
from trireel_backend.launch.image.options import ContainerOptions
from trireel_backend.launch.image.triton import Triton, find_triton
from trireel_backend.launch.own_texts import export_with_texts
from trireel_backend.launch.ports import authority, check_ports
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.launch.repository.describe import backends_parameter
from trireel_backend.launch.run_folder import SHARED_MEMORY, RunFolder, run_folder
from trireel_backend.launch.server import MODELS_ENVIRONMENT, Launch
from trireel_backend.whole_video.admission import Admission
from trireel_schema.files import METADATA_FILE
from trireel_schema.metadata import Metadata

EXIT_SECONDS = 10.0
LEAST_SHM_BYTES = (
    512 * 2**20
)  # the largest requests of a few extractors at 384 px; Docker's default is 64 MB
ENGINE_PROFILE = "tensorrt"


@contextlib.contextmanager
def container_launch(options: ContainerOptions) -> Iterator[Launch]:
    """Prepare a server that `running_server` starts; remove all of its files afterwards.

    Triton's log goes to the output of this process.

    Raises:
        StartupError: if a part is missing, or a port is in use.
    """
    triton = find_triton(options.triton)
    check_ports(options.listen, options.ports)
    _check_shared_memory()
    with run_folder() as run:
        export = export_with_texts(options.texts, options.export, run.path / "export", print)
        options = replace(options, export=export)
        yield _launch(options, triton, run, *_assemble(options, run))


def _assemble(options: ContainerOptions, run: RunFolder) -> tuple[Metadata, dict[str, str]]:
    """Assemble the repository; return the export's metadata and environment variables."""
    parameters = folder_parameters(
        options.model_options.parameters(), media=options.media, spool=options.spool, run=run
    )
    _check_spool(options.spool)
    public, private = split_private({**parameters, **backends_parameter(options.describe)})
    assembly = Assembly(
        models=options.models,
        export=options.export,
        profile=options.profile,
        parameters=public,
        instances=options.model_options.instances(),
        engine=_engine(options),
        shots=options.shots,
        shot_engine=_shot_engine(options),
        text_models=options.text_models,
        detector=options.detector,
        detector_engine=_detector_engine(options),
        describe=options.describe,
    )
    return assemble(assembly, run.models), private


def _engine(options: ContainerOptions) -> Path | None:
    if options.profile != ENGINE_PROFILE:
        return None
    return find_engine(options.engines, load_metadata(options.export / METADATA_FILE))


def _shot_engine(options: ContainerOptions) -> Path | None:
    if options.profile != ENGINE_PROFILE or options.shots is None:
        return None
    return find_shot_engine(options.engines)


def _detector_engine(options: ContainerOptions) -> Path | None:
    if options.profile != ENGINE_PROFILE or options.detector is None:
        return None
    return find_detector_engine(options.engines, options.detector)


def _launch(
    options: ContainerOptions,
    triton: Triton,
    run: RunFolder,
    metadata: Metadata,
    private: dict[str, str],
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
        environment=os.environ | MODELS_ENVIRONMENT | private,
        ports=options.ports,
        endpoint=Endpoint(
            authority(options.listen, options.ports.grpc),
            None if options.tls is None else options.tls.client_tls(),
        ),
        export=options.export,
        metadata=metadata,
        run=run,
        admission=Admission(run.admission),
        ready_seconds=options.ready_seconds,
        stop_seconds=options.stop_seconds,
        exit_seconds=EXIT_SECONDS,
        log=None,
        shots=options.shots,
        detector=options.detector,
        text_models=options.text_models,
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
