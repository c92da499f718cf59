# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines of the vision tower: what they are called, where they are, what they fit.

An engine runs on the kind of GPU and with the TensorRT it was built with, and with no other. All
of that is in its name, so that none is ever taken for another one.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trireel_backend.errors import MissingPart, StartupError
from trireel_schema.metadata import Metadata

TRTEXEC = Path("/usr/src/tensorrt/bin/trtexec")
"""Where NVIDIA's images have it, off PATH."""
ASK_SECONDS = 120.0  # the first CUDA call after a boot is slow
OLDEST_MAJOR = 10  # older ones have no strong typing worth the name
WEIGHTS_CHARACTERS = 12
_BANNER = re.compile(r"\[TensorRT v(\d{5,})\]")
_SIZES = re.compile(r"(\d+):(\d+):(\d+)")


@dataclass(frozen=True)
class BatchSizes:
    """The batches an engine takes, and the one its kernels are chosen for."""

    least: int = 1
    best: int = 64
    most: int = 128

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.best <= self.most:
            raise StartupError(
                f"got batch sizes {self}: give least:best:most, each at least the one before it"
            )

    @classmethod
    def parse(cls, text: str) -> "BatchSizes":
        """Read "least:best:most"; raises StartupError."""
        match = _SIZES.fullmatch(text)
        if match is None:
            raise StartupError(f"got batch sizes {text!r}: give least:best:most, such as {cls()}")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.least}:{self.best}:{self.most}"


@dataclass(frozen=True)
class TensorRT:
    """The TensorRT of this image."""

    trtexec: Path
    major: int
    minor: int
    patch: int

    @property
    def version(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True)
class Gpu:
    """The kind of GPU of this machine."""

    name: str
    compute_capability: str
    """Such as 9.0."""


def find_engine(folder: Path, metadata: Metadata) -> Path:
    """Return the engine built for this export on this kind of GPU with this TensorRT.

    One of the default batch sizes goes first; of other ones there must be one only.

    Raises:
        MissingPart: there is none, or no saying which; no GPU, or no TensorRT.
    """
    name = engine_name(metadata, find_gpu(), find_tensorrt(), BatchSizes())
    any_batch_sizes = f"{name.rpartition('_')[0]}_b*.plan"
    fitting = sorted(folder.glob(any_batch_sizes))
    if (folder / name).is_file():
        return folder / name
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise MissingPart(
            f"{folder} has {len(fitting)} engines that fit, {_names(fitting)}: keep one of them"
        )
    raise MissingPart(
        f"{folder} has no {any_batch_sizes}, but {_names(folder.glob('*.plan')) or 'no engine'}:"
        " build it with scripts/build_engine on this machine"
    )


def engine_name(metadata: Metadata, gpu: Gpu, tensorrt: TensorRT, batch_sizes: BatchSizes) -> str:
    """Return the file name of an engine."""
    parts = (
        Path(metadata.checkpoint).name,
        metadata.weights_sha256[:WEIGHTS_CHARACTERS],
        metadata.precision,
        gpu.name.removeprefix("NVIDIA "),
        f"sm{gpu.compute_capability}",
        f"trt{tensorrt.version}",
        f"b{batch_sizes}",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") for part in parts) + ".plan"


def find_tensorrt() -> TensorRT:
    """Ask trtexec for its version; raises MissingPart."""
    found = shutil.which("trtexec")
    trtexec = Path(found) if found else TRTEXEC
    if not trtexec.is_file():
        raise MissingPart(
            f"trtexec is neither on PATH nor at {TRTEXEC}: run this in the Triton container"
        )
    # It has no option for its version, but begins whatever it prints with it.
    answer = _ask(trtexec, "--help")
    match = _BANNER.search(answer)
    if match is None:
        raise MissingPart(
            f"{trtexec} does not tell its TensorRT version; it said: {_shortened(answer)}"
        )
    number = int(match.group(1))  # 100800 is 10.8.0
    tensorrt = TensorRT(trtexec, number // 10000, number // 100 % 100, number % 100)
    if tensorrt.major < OLDEST_MAJOR:
        raise MissingPart(
            f"{trtexec} says version {number}: TensorRT {OLDEST_MAJOR} or newer is needed"
        )
    return tensorrt


def find_gpu() -> Gpu:
    """Ask nvidia-smi for the kind of GPU; raises MissingPart where there is none, or two kinds."""
    found = shutil.which("nvidia-smi")
    if found is None:
        raise MissingPart(
            "nvidia-smi is not there: engines are for NVIDIA GPUs; give the container one"
        )
    answer = _ask(Path(found), "--query-gpu=name,compute_cap", "--format=csv,noheader")
    kinds = sorted({line.strip() for line in answer.splitlines() if line.strip()})
    if len(kinds) != 1 or kinds[0].count(",") != 1:
        raise MissingPart(
            "one kind of GPU is needed, since an engine fits one; nvidia-smi says:"
            f" {_shortened(answer) or 'no GPU'}"
        )
    name, compute_capability = kinds[0].split(",")
    return Gpu(name.strip(), compute_capability.strip())


def complete_config(config: Any, metadata: Metadata) -> None:
    """Write into a ModelConfig what engines and warm-ups must know of an export.

    Warm-up pictures get the export's size; in the parameters of execution accelerators the words
    {image_size_px}, {weights} and {precision} give way to its own.
    """
    for warmup in config.model_warmup:
        warmup.inputs["FRAMES"].dims[-3:-1] = [metadata.image_size_px] * 2
    words = {
        "{image_size_px}": str(metadata.image_size_px),
        "{weights}": metadata.weights_sha256[:WEIGHTS_CHARACTERS],
        "{precision}": metadata.precision,
    }
    for accelerator in config.optimization.execution_accelerators.gpu_execution_accelerator:
        # A list: writing into the map while walking it passes over entries.
        for key, value in list(accelerator.parameters.items()):
            for word, meaning in words.items():
                value = value.replace(word, meaning)
            accelerator.parameters[key] = value


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths))


def _ask(program: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"{program} does not run: {error}") from error
    if done.returncode:
        raise MissingPart(
            f"{program} {' '.join(arguments)} failed with {done.returncode}:"
            f" {_shortened(done.stderr or done.stdout)}"
        )
    return done.stdout


def _shortened(text: str) -> str:
    return " ".join(text.split())[:300]
