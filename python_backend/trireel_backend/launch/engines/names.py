# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines: their names, and the machine and export they fit.

An engine runs only on the kind of GPU and with the TensorRT it was built with. Its name holds
both, and the export it was built from, so that one engine is never mistaken for another.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trireel_backend.errors import MissingPart, StartupError
from trireel_schema.metadata import Metadata

TRTEXEC = Path("/usr/src/tensorrt/bin/trtexec")
"""Path of trtexec in NVIDIA's images, which is not on PATH."""
TOOL_SECONDS = 120.0  # the first CUDA call after a boot is slow
ENGINE_NAME = "model.plan"
"""Name of a TensorRT engine in the version folder of its model."""
OLDEST_MAJOR = 10  # older versions have no usable strong typing
WEIGHTS_CHARACTERS = 12
_BANNER = re.compile(r"\[TensorRT v(\d{5,})\]")
_SIZES = re.compile(r"(\d+):(\d+):(\d+)")


@dataclass(frozen=True)
class BatchSizes:
    """The batch sizes of an engine, in frames."""

    least: int = 1
    """Smallest batch that the engine accepts."""
    best: int = 64
    """Batch for which TensorRT optimises the kernels."""
    most: int = 128
    """Largest batch that the engine accepts."""

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.best <= self.most:
            raise StartupError(
                f"got batch sizes {self}: give least:best:most, each at least the one before it"
            )

    @classmethod
    def parse(cls, text: str) -> "BatchSizes":
        """Parse "least:best:most".

        Raises:
            StartupError: if the text is not of that form, or the sizes are out of order.
        """
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
    """Path of the trtexec program."""
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
    """Name as nvidia-smi reports it, such as NVIDIA H200."""
    compute_capability: str
    """Compute capability, such as 9.0."""


class Weights(Protocol):
    """The weights that an engine was built of; the metadata of an export are such."""

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint."""

    @property
    def weights_sha256(self) -> str:
        """Hash of the weights."""

    @property
    def precision(self) -> str:
        """Number format of the graph."""


def find_engine(folder: Path, weights: Weights, batch_sizes: BatchSizes | None = None) -> Path:
    """Return the engine built of these weights on this kind of GPU with this TensorRT.

    An engine of the batch sizes, by default those of the vision tower, is preferred. If there is
    none, exactly one engine of other batch sizes must fit.

    Raises:
        MissingPart: if no engine fits, or several do; if there is no GPU or no TensorRT.
    """
    name = engine_name(weights, find_gpu(), find_tensorrt(), batch_sizes or BatchSizes())
    any_batch_sizes = f"{name.rpartition('_')[0]}_b*.plan"
    fitting = sorted(folder.glob(any_batch_sizes))
    if (folder / name).is_file():
        return folder / name
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise MissingPart(
            f"{folder} has {len(fitting)} engines that fit, {_file_names(fitting)}:"
            " keep one of them"
        )
    raise MissingPart(
        f"{folder} has no {any_batch_sizes}, but"
        f" {_file_names(folder.glob('*.plan')) or 'no engine'}:"
        " build it with scripts/build_engine on this machine"
    )


def engine_name(weights: Weights, gpu: Gpu, tensorrt: TensorRT, batch_sizes: BatchSizes) -> str:
    """Return the file name of an engine."""
    parts = (
        Path(weights.checkpoint).name,
        weights.weights_sha256[:WEIGHTS_CHARACTERS],
        weights.precision,
        gpu.name.removeprefix("NVIDIA "),
        f"sm{gpu.compute_capability}",
        f"trt{tensorrt.version}",
        f"b{batch_sizes}",
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") for part in parts) + ".plan"


def find_tensorrt() -> TensorRT:
    """Return the TensorRT version that trtexec reports.

    Raises:
        MissingPart: if there is no trtexec, or it reports no version or one that is too old.
    """
    trtexec = Path(shutil.which("trtexec") or TRTEXEC)
    if not trtexec.is_file():
        raise MissingPart(
            f"trtexec is neither on PATH nor at {TRTEXEC}: run this in the Triton container"
        )
    # trtexec has no option for its version, but prints it first in any output.
    output = _run(trtexec, "--help")
    match = _BANNER.search(output)
    if match is None:
        raise MissingPart(
            f"{trtexec} does not report its TensorRT version; it printed: {_shorten(output)}"
        )
    number = int(match.group(1))  # 100800 is 10.8.0
    tensorrt = TensorRT(trtexec, number // 10000, number // 100 % 100, number % 100)
    if tensorrt.major < OLDEST_MAJOR:
        raise MissingPart(
            f"{trtexec} reports version {number}: TensorRT {OLDEST_MAJOR} or newer is required"
        )
    return tensorrt


def find_gpu() -> Gpu:
    """Return the kind of GPU that nvidia-smi reports.

    Raises:
        MissingPart: if there is no GPU, or GPUs of two kinds.
    """
    nvidia_smi = shutil.which("nvidia-smi")
    if nvidia_smi is None:
        raise MissingPart(
            "nvidia-smi is not there: engines need an NVIDIA GPU; give the container access to one"
        )
    output = _run(Path(nvidia_smi), "--query-gpu=name,compute_cap", "--format=csv,noheader")
    kinds = sorted({line.strip() for line in output.splitlines() if line.strip()})
    if len(kinds) != 1 or kinds[0].count(",") != 1:
        raise MissingPart(
            "exactly one kind of GPU is required, because an engine fits only one; nvidia-smi"
            f" reports: {_shorten(output) or 'no GPU'}"
        )
    name, compute_capability = kinds[0].split(",")
    return Gpu(name.strip(), compute_capability.strip())


def complete_config(config: Any, metadata: Metadata) -> None:
    """Write an export's sizes and weights into the warm-ups and engines of a ModelConfig.

    Warm-up pictures get the export's size. In the parameters of execution accelerators, the words
    {image_size_px}, {weights} and {precision} are replaced with the export's values.
    """
    for warmup in config.model_warmup:
        warmup.inputs["FRAMES"].dims[-3:-1] = [metadata.image_size_px] * 2
    replace_words(
        config,
        {
            "{image_size_px}": str(metadata.image_size_px),
            "{weights}": metadata.weights_sha256[:WEIGHTS_CHARACTERS],
            "{precision}": metadata.precision,
        },
    )


def replace_words(config: Any, words: Mapping[str, str]) -> None:
    """Replace words in the parameters of a ModelConfig's execution accelerators."""
    for accelerator in config.optimization.execution_accelerators.gpu_execution_accelerator:
        # A list, because writing into the map during iteration skips entries.
        for key, value in list(accelerator.parameters.items()):
            for word, replacement in words.items():
                value = value.replace(word, replacement)
            accelerator.parameters[key] = value


def _file_names(paths: Iterable[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths))


def _run(program: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=TOOL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPart(f"{program} does not run: {error}") from error
    if result.returncode:
        raise MissingPart(
            f"{program} {' '.join(arguments)} failed with {result.returncode}:"
            f" {_shorten(result.stderr or result.stdout)}"
        )
    return result.stdout


def _shorten(text: str) -> str:
    return " ".join(text.split())[:300]
