# SPDX-License-Identifier: Apache-2.0
"""The model `object_detector` in the repository; a server without a detector does without it."""

from pathlib import Path
from typing import Any

from trireel_backend.artifacts import load_detector
from trireel_backend.errors import MissingPart
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, DETECTOR_MODEL

INFORMED_MODELS = (
    "frame_extractor",
    "temporal_decoder",
    "server_info",
    "video_analysis",
    "video_analysis_stream",
)
"""Models that must know the detector's labels or the size of its frames."""


def detector_sources(folder: Path) -> dict[str, dict[str, Path]]:
    """Return for each model the files of a detector to link to, by name in its version folder.

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
    return {DETECTOR_MODEL: files, **dict.fromkeys(INFORMED_MODELS, facts)}


def complete_detector(config: Any, folder: Path) -> None:
    """Write the detector's sizes into its ModelConfig; raises MissingPart."""
    metadata = load_detector(folder / DETECTOR_FILE)
    dims = {
        "FRAMES": metadata.frame_shape,
        "BOXES": (metadata.num_boxes, 4),
        "SCORES": (metadata.num_boxes,),
        "LABELS": (metadata.num_boxes,),
    }
    for tensor in [*config.input, *config.output]:
        tensor.dims[:] = dims[tensor.name]
