# SPDX-License-Identifier: Apache-2.0
"""The models that TensorRT engines are built of: their ONNX files, shapes and gates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.artifacts import load_detector, load_metadata
from trireel_backend.errors import MissingPart
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.engines.detector import DETECTOR_BATCH_SIZES
from trireel_backend.launch.engines.names import BatchSizes, Weights
from trireel_backend.launch.engines.shots import SHOT_BATCH_SIZES, shot_weights
from trireel_backend.launch.gate.command import MODEL, BatchReport, check_served
from trireel_backend.launch.gate.detector import DetectorReport, check_served_detector
from trireel_backend.launch.gate.shots import ShotReport, check_served_shots
from trireel_backend.launch.repository.assemble import Assembly
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, DETECTOR_MODEL
from trireel_schema.files import METADATA_FILE, VISION_FILE
from trireel_schema.shots import FRAMES_SHAPE, GRAPH_FILE, SHOT_MODEL

PROFILE = "tensorrt"

Reports = Sequence[BatchReport] | Sequence[ShotReport] | Sequence[DetectorReport]


@dataclass(frozen=True)
class Subject:
    """A model that an engine is built of."""

    model: str
    """Name in the model repository."""
    onnx: Path
    """The graph; a file of weights may lie beside it."""
    weights: Weights
    """The weights, after which the engine is named."""
    row: tuple[int, ...]
    """Shape of one row of FRAMES."""
    batch_sizes: BatchSizes
    """The batch sizes of the engine."""
    assembly: Callable[[Path, Path], Assembly]
    """Makes the parts of a repository of a folder of model folders and the engine."""
    check: Callable[[Endpoint], Reports]
    """Compares the served engine with the original; raises GateFailed if they differ."""

    @property
    def onnx_bytes(self) -> int:
        """Size of the graph and of the weights beside it."""
        names = (self.onnx.name, f"{self.onnx.name}.data", "weights.bin")
        paths = (self.onnx.with_name(name) for name in names)
        return sum(path.stat().st_size for path in paths if path.is_file())


def vision_tower(export: Path, batch_sizes: BatchSizes) -> Subject:
    """Return the vision tower of an export; raises MissingPart if it is not there."""
    metadata = load_metadata(export / METADATA_FILE)
    if not (export / VISION_FILE).is_file():
        raise MissingPart(f"{export} lacks {VISION_FILE}: give the output folder of trireel-export")
    side_px = metadata.image_size_px
    return Subject(
        MODEL,
        export / VISION_FILE,
        metadata,
        (side_px, side_px, 3),
        batch_sizes,
        lambda models, engine: Assembly(models, export, PROFILE, engine=engine),
        lambda endpoint: check_served(endpoint, export),
    )


def shot_boundary(shots: Path, export: Path) -> Subject:
    """Return `shot_boundary`.

    Args:
        shots: the model's files.
        export: an export, which every repository has.
    """
    return Subject(
        SHOT_MODEL,
        shots / GRAPH_FILE,
        shot_weights(),
        FRAMES_SHAPE,
        SHOT_BATCH_SIZES,
        lambda models, engine: Assembly(models, export, PROFILE, shots=shots, shot_engine=engine),
        lambda endpoint: check_served_shots(endpoint, shots),
    )


def object_detector(detector: Path, export: Path) -> Subject:
    """Return `object_detector`; raises MissingPart if it is not there.

    Args:
        detector: the model's files.
        export: an export, which every repository has.
    """
    metadata = load_detector(detector / DETECTOR_FILE)
    return Subject(
        DETECTOR_MODEL,
        detector / DETECTOR_GRAPH_FILE,
        metadata,
        metadata.frame_shape,
        DETECTOR_BATCH_SIZES,
        lambda models, engine: Assembly(
            models, export, PROFILE, detector=detector, detector_engine=engine
        ),
        lambda endpoint: check_served_detector(endpoint, detector),
    )
