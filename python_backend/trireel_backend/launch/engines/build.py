# SPDX-License-Identifier: Apache-2.0
"""Building the vision tower's TensorRT engine and letting it pass the gate: scripts/build_engine.

Runs in the Triton container, on a machine of the kind that will serve. The engine has its name only
when it has passed: what is found by name can be served.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import GateFailed, MissingPart, StartupError
from trireel_backend.launch.engines.names import (
    BatchSizes,
    Gpu,
    TensorRT,
    engine_name,
    find_gpu,
    find_tensorrt,
)
from trireel_backend.launch.engines.served import Sources, child, last_error, served
from trireel_backend.launch.gate.command import BatchReport, check_served
from trireel_backend.launch.signals import unwind_on_signals
from trireel_schema.files import METADATA_FILE, VISION_FILE
from trireel_schema.metadata import Metadata

MODELS = Path("/opt/trireel/model_repository")
TRITONSERVER = Path("/opt/tritonserver/bin/tritonserver")
OPTIMIZATION_LEVEL = 3  # TensorRT's own default
MOST_OPTIMIZATION_LEVEL = 5
WORKSPACE_MIB = 8192
SPARE_BYTES = 256 * 2**20  # beside the engine: timing cache, log, note


@dataclass(frozen=True)
class Build:
    """What to build, and with what."""

    export: Path
    """Output folder of trireel-export."""
    engines: Path
    """Folder of engines, notes, logs and timing caches; kept between starts."""
    batch_sizes: BatchSizes
    optimization_level: int
    workspace_mib: int
    force: bool
    """Build although there is an engine."""
    models: Path
    """Folder of model folders."""
    tritonserver: Path


@dataclass(frozen=True)
class Target:
    """What is built for what."""

    metadata: Metadata
    gpu: Gpu
    tensorrt: TensorRT
    engine: Path
    """Where it will be."""

    def beside(self, suffix: str) -> Path:
        """Return a file of the engine's name with another ending."""
        return self.engine.with_suffix(suffix)


def build_engine(build: Build) -> Path:
    """Build the engine unless it is there, and return where it is.

    Raises:
        MissingPart: no GPU, no TensorRT, or no export.
        StartupError: there is no room, or trtexec failed.
        NotReady: Triton does not load the engine.
        GateFailed: the engine is less accurate than it has to be; it is kept as .refused.
    """
    target = _target(build)
    build.engines.mkdir(parents=True, exist_ok=True)
    with _alone(build.engines):
        if target.engine.is_file() and not build.force:
            _say(f"{target.engine} is there already.")
            return target.engine
        _check_room(build)
        with _unfinished(target.engine) as unfinished:
            seconds, command = _run_trtexec(build, target, unfinished)
            reports = _pass_gate(build, target, unfinished)
            _write_note(target, unfinished, seconds, command, reports)
            unfinished.replace(target.engine)
    _say(f"{target.engine} was built in {seconds:.0f} s and passed the gate.")
    return target.engine


def trtexec_arguments(
    build: Build, image_size_px: int, tensorrt: TensorRT, timing_cache: Path, engine: Path
) -> list[str]:
    """Return what trtexec is called with.

    The graph says which precision each of its tensors has, and strong typing makes TensorRT keep
    to that: from 11 on always, before by an option.
    """
    sizes = build.batch_sizes
    shapes = {"min": sizes.least, "opt": sizes.best, "max": sizes.most}
    return [
        f"--onnx={build.export / VISION_FILE}",
        f"--saveEngine={engine}",
        *(
            f"--{bound_name}Shapes=FRAMES:{batch}x{image_size_px}x{image_size_px}x3"
            for bound_name, batch in shapes.items()
        ),
        f"--memPoolSize=workspace:{build.workspace_mib}",
        f"--builderOptimizationLevel={build.optimization_level}",
        f"--timingCacheFile={timing_cache}",
        "--skipInference",
        *(["--stronglyTyped"] if tensorrt.major < 11 else []),
    ]


def _target(build: Build) -> Target:
    metadata = load_metadata(build.export / METADATA_FILE)
    if not (build.export / VISION_FILE).is_file():
        raise MissingPart(
            f"{build.export} lacks {VISION_FILE}: give the output folder of trireel-export"
        )
    if not build.tritonserver.is_file():  # better now than when the engine is built
        raise MissingPart(f"{build.tritonserver} is not there: run this in the Triton container")
    gpu, tensorrt = find_gpu(), find_tensorrt()
    name = engine_name(metadata, gpu, tensorrt, build.batch_sizes)
    return Target(metadata, gpu, tensorrt, build.engines / name)


@contextlib.contextmanager
def _alone(engines: Path) -> Iterator[None]:
    """Let one process at a time build: two would time kernels on a GPU that the other one uses."""
    with (engines / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another process builds in {engines}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        # The kernel lets go of a lock when its holder is killed; the file it wrote stays.
        for abandoned in engines.glob(".*.unfinished"):
            abandoned.unlink()
        yield


def _check_room(build: Build) -> None:
    onnx_bytes = sum(path.stat().st_size for path in build.export.glob(f"{VISION_FILE}*"))
    free_bytes = shutil.disk_usage(build.engines).free
    if free_bytes < onnx_bytes + SPARE_BYTES:
        raise StartupError(
            f"{build.engines} has {free_bytes >> 20} MiB free, an engine of this export needs about"
            f" {(onnx_bytes + SPARE_BYTES) >> 20}: make room, engines of other versions may go"
        )


@contextlib.contextmanager
def _unfinished(engine: Path) -> Iterator[Path]:
    path = engine.with_name(f".{engine.name}.unfinished")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _run_trtexec(build: Build, target: Target, engine: Path) -> tuple[float, list[str]]:
    """Return how many seconds it took, and the command."""
    kind = target.engine.name.split("_")[-4:-1]  # GPU, its architecture, TensorRT
    timing_cache = build.engines / f"timing_{'_'.join(kind)}.cache"
    arguments = trtexec_arguments(
        build, target.metadata.image_size_px, target.tensorrt, timing_cache, engine
    )
    command = [str(target.tensorrt.trtexec), *arguments]
    log = target.beside(".log")
    _say(f"Building {target.engine.name}; this takes minutes, its log is {log}.")
    began = time.monotonic()
    with log.open("wb") as output, child(command, output) as process:
        code = process.wait()
    if code or not engine.is_file() or not engine.stat().st_size:
        raise StartupError(f"trtexec failed with {code}: {last_error(log)}; its log is {log}")
    return time.monotonic() - began, command


def _pass_gate(build: Build, target: Target, engine: Path) -> list[BatchReport]:
    _say("Comparing the served engine with the checkpoint.")
    try:
        sources = Sources(build.models, build.export, build.tritonserver, target.beside(".log"))
        with served(sources, engine) as endpoint:
            return check_served(endpoint, build.export)
    except GateFailed as error:
        refused = target.beside(".plan.refused")
        engine.replace(refused)
        raise GateFailed(f"{error}; the engine is kept as {refused}, and is not served") from error


def _write_note(
    target: Target,
    engine: Path,
    seconds: float,
    command: Sequence[str],
    reports: Sequence[BatchReport],
) -> None:
    with engine.open("rb") as file:
        os.fsync(file.fileno())  # a name must not outlive its contents
    note = {
        "checkpoint": target.metadata.checkpoint,
        "weights_sha256": target.metadata.weights_sha256,
        "precision": target.metadata.precision,
        "gpu": asdict(target.gpu),
        "tensorrt": target.tensorrt.version,
        "command": shlex.join(command),
        "build_seconds": round(seconds, 1),
        "engine_bytes": engine.stat().st_size,
        "gate": [asdict(report) for report in reports],
    }
    target.beside(".json").write_text(json.dumps(note, indent=2) + "\n")


def _say(text: str) -> None:
    print(text, flush=True)


def create_parser() -> argparse.ArgumentParser:
    """Return the options of scripts/build_engine."""
    parser = argparse.ArgumentParser(
        prog="build_engine",
        description="Build the TensorRT engine of an export for this machine's GPU, and let it"
        " pass the gate. Does nothing where it is there already.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--export", type=Path, default=Path("/export"), help="output folder of trireel-export")
    add("--engines", type=Path, default=Path("/engines"), help="folder that keeps engines")
    add("--batch-sizes", default=str(BatchSizes()), help="least:best:most frames in a batch")
    add("--optimization-level", type=int, default=OPTIMIZATION_LEVEL,
        choices=range(MOST_OPTIMIZATION_LEVEL + 1), help="how long TensorRT searches")  # fmt: skip
    add("--workspace-mib", type=int, default=WORKSPACE_MIB, help="GPU memory a kernel may want")
    add("--force", action="store_true", help="build although there is an engine")
    add("--models", type=Path, default=MODELS, help="folder of model folders")
    add("--tritonserver", type=Path, default=TRITONSERVER, help="that serves it to the gate")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 where there is an engine that passed, 1 with one sentence otherwise."""
    options = vars(create_parser().parse_args(argv))
    unwind_on_signals(1)  # who waits for an engine is not to begin without
    try:
        sizes = BatchSizes.parse(options.pop("batch_sizes"))
        build_engine(Build(batch_sizes=sizes, **options))
    except (StartupError, OSError) as error:
        print(f"build_engine: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
