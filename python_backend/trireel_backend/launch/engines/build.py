# SPDX-License-Identifier: Apache-2.0
"""Build the TensorRT engines of the models, and test them.

It runs in the Triton container, on a machine of the kind that will serve. The engine gets its name
only after it has passed the gate: an engine that is found by its name can be served.
"""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trireel_backend.errors import GateFailed, MissingPart, StartupError
from trireel_backend.launch.engines.names import (
    BatchSizes,
    Gpu,
    TensorRT,
    engine_name,
    find_gpu,
    find_tensorrt,
)
from trireel_backend.launch.engines.served import Sources, child, last_error, serve_engine
from trireel_backend.launch.engines.subjects import (
    Reports,
    Subject,
    object_detector,
    shot_boundary,
    vision_tower,
)
from trireel_backend.launch.gate.command import MODEL
from trireel_backend.launch.repository.shots import find_shots
from trireel_schema.detector import DETECTOR_MODEL
from trireel_schema.shots import SHOT_MODEL

OPTIMIZATION_LEVEL = 3  # TensorRT's own default
MOST_OPTIMIZATION_LEVEL = 5
WORKSPACE_MIB = 8192
SPARE_BYTES = 256 * 2**20  # beside the engine: timing cache, log, note


@dataclass(frozen=True)
class Build:
    """The options of a build."""

    export: Path
    """Output folder of trireel-export."""
    engines: Path
    """Folder of engines, notes, logs and timing caches; kept between starts."""
    batch_sizes: BatchSizes
    """The batch sizes of the vision tower's engine."""
    optimization_level: int
    """Effort of TensorRT's search for fast kernels, 0 to 5."""
    workspace_mib: int
    """GPU memory in MiB that a kernel may use."""
    force: bool
    """Build even if the engine exists."""
    models: Path
    """Folder of model folders."""
    tritonserver: Path
    """Path of the tritonserver binary that serves the engine to the gate."""
    detector: Path | None = None
    """Folder of the model `object_detector`; None to build no engine of it."""
    shots: Path | None = None
    """Folder of the model `shot_boundary`; None for that of the set-up, if it is there."""
    model: str | None = None
    """Name of the one model to build an engine of; None for all."""


@dataclass(frozen=True)
class Target:
    """The engine to build, and the export and machine it is for."""

    subject: Subject
    gpu: Gpu
    tensorrt: TensorRT
    engine: Path
    """Path of the engine after the build."""

    def beside(self, suffix: str) -> Path:
        """Return the path of a file beside the engine: its name with another suffix."""
        return self.engine.with_suffix(suffix)


def build_engines(build: Build) -> list[Path]:
    """Build the engine of each model unless it exists; return their paths.

    Raises:
        StartupError: as `build_engine` does, or if no model has this name.
    """
    subjects = []
    if build.model in (None, MODEL):
        subjects.append(vision_tower(build.export, build.batch_sizes))
    if build.model in (None, SHOT_MODEL):
        shots, missing = find_shots(build.shots)
        if shots is not None:
            subjects.append(shot_boundary(shots, build.export))
        elif build.model is not None:
            raise MissingPart(missing)
        else:
            _report(f"No engine of {SHOT_MODEL}: {missing}")
    if build.model in (None, DETECTOR_MODEL):
        if build.detector is not None:
            subjects.append(object_detector(build.detector, build.export))
        elif build.model is not None:
            raise MissingPart(f"an engine of {DETECTOR_MODEL} needs --detector: give its folder")
    return [build_engine(build, subject) for subject in subjects]


def build_engine(build: Build, subject: Subject) -> Path:
    """Build the engine of a model unless it exists; return its path.

    Raises:
        MissingPart: if there is no GPU, no TensorRT or no export.
        StartupError: if the disk has too little space, or trtexec fails.
        NotReady: if Triton does not load the engine.
        GateFailed: if the engine is not accurate enough; it is kept as .refused.
    """
    target = _target(build, subject)
    build.engines.mkdir(parents=True, exist_ok=True)
    with _build_lock(build.engines):
        if target.engine.is_file() and not build.force:
            _report(f"{target.engine} is there already.")
            return target.engine
        _check_disk_space(build, subject)
        with _unfinished_file(target.engine) as unfinished:
            seconds, command = _run_trtexec(build, target, unfinished)
            reports = _pass_gate(build, target, unfinished)
            _write_note(target, unfinished, seconds, command, reports)
            unfinished.replace(target.engine)
    _report(f"{target.engine} was built in {seconds:.0f} s and passed the gate.")
    return target.engine


def trtexec_arguments(
    build: Build, subject: Subject, tensorrt: TensorRT, timing_cache: Path, engine: Path
) -> list[str]:
    """Return the arguments of trtexec.

    The graph defines the precision of each of its tensors. Strong typing makes TensorRT keep to it:
    from TensorRT 11 on always, before that with an option.
    """
    sizes, row = subject.batch_sizes, "x".join(map(str, subject.row))
    shapes = {"min": sizes.least, "opt": sizes.best, "max": sizes.most}
    return [
        f"--onnx={subject.onnx}",
        f"--saveEngine={engine}",
        *(f"--{bound_name}Shapes=FRAMES:{batch}x{row}" for bound_name, batch in shapes.items()),
        f"--memPoolSize=workspace:{build.workspace_mib}",
        f"--builderOptimizationLevel={build.optimization_level}",
        f"--timingCacheFile={timing_cache}",
        "--skipInference",
        *(["--stronglyTyped"] if tensorrt.major < 11 else []),
    ]


def _target(build: Build, subject: Subject) -> Target:
    if not build.tritonserver.is_file():  # fail before the build, not after it
        raise MissingPart(f"{build.tritonserver} is not there: run this in the Triton container")
    gpu, tensorrt = find_gpu(), find_tensorrt()
    name = engine_name(subject.weights, gpu, tensorrt, subject.batch_sizes)
    return Target(subject, gpu, tensorrt, build.engines / name)


@contextlib.contextmanager
def _build_lock(engines: Path) -> Iterator[None]:
    """Let one process build at a time: two would disturb each other's timing of kernels."""
    with (engines / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _report(f"Another process is building in {engines}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        # The kernel releases the lock of a killed process, but the file that it wrote remains.
        for abandoned in engines.glob(".*.unfinished"):
            abandoned.unlink()
        yield


def _check_disk_space(build: Build, subject: Subject) -> None:
    onnx_bytes = subject.onnx_bytes
    free_bytes = shutil.disk_usage(build.engines).free
    if free_bytes < onnx_bytes + SPARE_BYTES:
        raise StartupError(
            f"{build.engines} has {free_bytes >> 20} MiB free, an engine of {subject.model} needs"
            f" about {(onnx_bytes + SPARE_BYTES) >> 20}: free some space, for example by removing"
            " engines of other versions"
        )


@contextlib.contextmanager
def _unfinished_file(engine: Path) -> Iterator[Path]:
    path = engine.with_name(f".{engine.name}.unfinished")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _run_trtexec(build: Build, target: Target, engine: Path) -> tuple[float, list[str]]:
    """Run trtexec; return the seconds it took, and the command."""
    kind = target.engine.name.split("_")[-4:-1]  # GPU, its architecture, TensorRT
    timing_cache = build.engines / f"timing_{'_'.join(kind)}.cache"
    arguments = trtexec_arguments(build, target.subject, target.tensorrt, timing_cache, engine)
    command = [str(target.tensorrt.trtexec), *arguments]
    log = target.beside(".log")
    _report(f"Building {target.engine.name}; this takes minutes, its log is {log}.")
    start_seconds = time.monotonic()
    with log.open("wb") as output, child(command, output) as process:
        status = process.wait()
    if status or not engine.is_file() or not engine.stat().st_size:
        raise StartupError(f"trtexec failed with {status}: {last_error(log)}; its log is {log}")
    return time.monotonic() - start_seconds, command


def _pass_gate(build: Build, target: Target, engine: Path) -> Reports:
    _report("Comparing the served engine with the checkpoint.")
    try:
        sources = Sources(build.models, build.tritonserver, target.beside(".log"))
        with serve_engine(sources, target.subject, engine) as endpoint:
            return target.subject.check(endpoint)
    except GateFailed as error:
        rejected = target.beside(".plan.refused")
        engine.replace(rejected)
        raise GateFailed(f"{error}; the engine is kept as {rejected}, and is not served") from error


def _write_note(
    target: Target,
    engine: Path,
    seconds: float,
    command: Sequence[str],
    reports: Reports,
) -> None:
    with engine.open("rb") as file:
        os.fsync(file.fileno())  # the contents must be on disk before the name is
    weights = target.subject.weights
    note = {
        "checkpoint": weights.checkpoint,
        "weights_sha256": weights.weights_sha256,
        "precision": weights.precision,
        "gpu": asdict(target.gpu),
        "tensorrt": target.tensorrt.version,
        "command": shlex.join(command),
        "build_seconds": round(seconds, 1),
        "engine_bytes": engine.stat().st_size,
        "gate": [asdict(report) for report in reports],
    }
    target.beside(".json").write_text(json.dumps(note, indent=2) + "\n")


def _report(text: str) -> None:
    print(text, flush=True)
