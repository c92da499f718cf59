# SPDX-License-Identifier: Apache-2.0
"""The model `shot_boundary` in the repository; a server without its files does without it."""

from pathlib import Path
from typing import Any

from trireel_backend.launch.engines.names import ENGINE_NAME, WEIGHTS_CHARACTERS, replace_words
from trireel_backend.launch.repository.set_up import find_made, require_made
from trireel_backend.shots.files import check_model, default_folder, recipe
from trireel_schema.shots import GRAPH_FILE, WEIGHTS_FILE, WINDOWS_FILE


def find_shots(folder: Path | None) -> tuple[Path | None, str]:
    """Return the folder of the model, and a sentence if the server has to do without it.

    Args:
        folder: the operator's folder; None for that of the set-up, which may be missing.

    Raises:
        MissingPart: if the operator's folder does not hold the model.
    """
    return find_made(folder, default_folder(), check_model, "scenes cannot be exact")


def shot_sources(folder: Path, engine: Path | None) -> dict[str, Path]:
    """Return the files to link to, by name in the version folder.

    Raises:
        MissingPart: if one of them is missing.
    """
    sources = {name: folder / name for name in (GRAPH_FILE, WEIGHTS_FILE, WINDOWS_FILE)}
    if engine is not None:
        sources = {ENGINE_NAME: engine}
    require_made(sources.values())
    return sources


def complete_shots(config: Any) -> None:
    """Write the model's weights into the names of engines in its ModelConfig."""
    weights = recipe().sha256[WEIGHTS_FILE][:WEIGHTS_CHARACTERS]
    replace_words(config, {"{weights}": weights})
