# SPDX-License-Identifier: Apache-2.0
"""The model `object_detector` in the repository; a server without a detector does without it."""

from pathlib import Path
from typing import Any

from trireel_backend.artifacts import load_detector
from trireel_backend.errors import MissingPart
from trireel_backend.launch.engines.names import ENGINE_NAME, WEIGHTS_CHARACTERS, replace_words
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_GRAPH_FILE,
    DETECTOR_INPUT,
    DETECTOR_MODEL,
)

INFORMED_MODELS = (
    "frame_extractor",
    "temporal_decoder",
    "server_info",
    "video_analysis",
    "video_analysis_stream",
)
"""Models that must know the detector's labels or the size of its frames."""


def detector_sources(folder: Path, engine: Path | None) -> dict[str, dict[str, Path]]:
    """Return for each model the files of a detector to link to, by name in its version folder.

    Args:
        engine: TensorRT engine that takes the place of the graph; None for the graph.

    Raises:
        MissingPart: if one of them is missing.
    """
    files = {name: folder / name for name in (DETECTOR_GRAPH_FILE, DETECTOR_FILE)}
    for file in files.values():
        if not file.is_file():
            raise MissingPart(
                f"{file} is not there: give the folder that trireel-export detector makes"
            )
    facts = {DETECTOR_FILE: files[DETECTOR_FILE]}
    if engine is not None:
        if not engine.is_file():
            raise MissingPart(f"{engine} is not there: give a TensorRT engine")
        files = {ENGINE_NAME: engine, **facts}
    return {DETECTOR_MODEL: files, **dict.fromkeys(INFORMED_MODELS, facts)}


def find_detector(folder: Path | None, bundled: Path) -> Path | None:
    """Return the operator's detector, or the bundled one; None if that is not there."""
    if folder is not None:
        return folder
    return bundled if (bundled / DETECTOR_FILE).is_file() else None


def complete_detector(config: Any, folder: Path) -> None:
    """Write the detector's sizes and weights into its ModelConfig; raises MissingPart."""
    metadata = load_detector(folder / DETECTOR_FILE)
    dims = {
        "FRAMES": metadata.frame_shape,
        "BOXES": (metadata.num_boxes, 4),
        "SCORES": (metadata.num_boxes,),
        "LABELS": (metadata.num_boxes,),
    }
    for tensor in [*config.input, *config.output]:
        tensor.dims[:] = dims[tensor.name]
    for warmup in config.model_warmup:
        warmup.inputs[DETECTOR_INPUT].dims[:] = metadata.frame_shape
    words = {
        "{frame}": "x".join(map(str, metadata.frame_shape)),
        "{weights}": metadata.weights_sha256[:WEIGHTS_CHARACTERS],
        "{precision}": metadata.precision,
    }
    replace_words(config, words)
