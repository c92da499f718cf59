# SPDX-License-Identifier: Apache-2.0
"""The models that read text in the repository; a server without their files does without them."""

from pathlib import Path

from trireel_backend.launch.repository.set_up import find_made, require_made
from trireel_backend.text_models.files import (
    CHARACTERS_FILE,
    DETECTOR_MODEL,
    LARGE_DETECTOR_FILE,
    RECOGNIZER_FILE,
    RECOGNIZER_MODEL,
    SMALL_DETECTOR_FILE,
    TEXT_MODELS,
    check_models,
    default_folder,
)
from trireel_schema.captions import CAPTIONS_MODEL

ONNX_NAME, SMALL_NAME = "model.onnx", "small.onnx"
READING_MODELS = (CAPTIONS_MODEL, "temporal_decoder")
"""Models that call the text models, and need the characters to read their answers."""
NEED_TEXT_MODELS = frozenset({*TEXT_MODELS, CAPTIONS_MODEL})
"""Models that are not served without the files of the text models."""


def find_text_models(folder: Path | None) -> tuple[Path | None, str]:
    """Return the folder of the models, and a sentence if the server has to do without them.

    Args:
        folder: the operator's folder; None for that of the set-up, which may be missing.

    Raises:
        MissingPart: if the operator's folder does not hold the models.
    """
    return find_made(folder, default_folder(), check_models, "text in pictures is not read")


def text_sources(folder: Path) -> dict[str, dict[str, Path]]:
    """Return for each model the files to link to, by name in its version folder.

    Args:
        folder: the models' files.

    Raises:
        MissingPart: if a file is missing.
    """
    detectors = {ONNX_NAME: LARGE_DETECTOR_FILE, SMALL_NAME: SMALL_DETECTOR_FILE}
    characters = {CHARACTERS_FILE: folder / CHARACTERS_FILE}
    sources = {
        DETECTOR_MODEL: {name: folder / file for name, file in detectors.items()},
        RECOGNIZER_MODEL: {ONNX_NAME: folder / RECOGNIZER_FILE, **characters},
        **dict.fromkeys(READING_MODELS, characters),
    }
    require_made(file for files in sources.values() for file in files.values())
    return sources
