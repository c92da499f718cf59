# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines of `object_detector`: their batch sizes."""

from pathlib import Path

from trireel_backend.artifacts import load_detector
from trireel_backend.launch.engines.names import BatchSizes, find_engine
from trireel_schema.detector import DETECTOR_FILE

DETECTOR_BATCH_SIZES = BatchSizes(1, 8, 64)
"""Batch sizes of an engine, in frames: a video sends eight at a time."""


def find_detector_engine(folder: Path, detector: Path) -> Path:
    """Return the engine of a detector for this GPU and TensorRT; raises MissingPart."""
    return find_engine(folder, load_detector(detector / DETECTOR_FILE), DETECTOR_BATCH_SIZES)
