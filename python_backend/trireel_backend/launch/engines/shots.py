# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines of `shot_boundary`: their weights and batch sizes."""

from dataclasses import dataclass
from pathlib import Path

from trireel_backend.launch.engines.names import BatchSizes, find_engine
from trireel_backend.shots.files import recipe
from trireel_schema.precision import Precision
from trireel_schema.shots import WEIGHTS_FILE

SHOT_BATCH_SIZES = BatchSizes(1, 8, 32)
"""Batch sizes of an engine, in windows: a chunk of 10 s has five windows or more."""


@dataclass(frozen=True)
class ShotWeights:
    """The weights of `shot_boundary`, as engines are named after them."""

    weights_sha256: str
    """Hash of the file of weights."""
    checkpoint: str = "TransNetV2"
    precision: str = Precision.FP32


def shot_weights() -> ShotWeights:
    """Return the weights of this version of Trireel."""
    return ShotWeights(recipe().sha256[WEIGHTS_FILE])


def find_shot_engine(folder: Path) -> Path:
    """Return the engine for this GPU and TensorRT; raises MissingPart if none fits."""
    return find_engine(folder, shot_weights(), SHOT_BATCH_SIZES)
