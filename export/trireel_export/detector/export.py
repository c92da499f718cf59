# SPDX-License-Identifier: Apache-2.0
"""Exports a detector to a folder that a server can use, or raises an error."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from trireel_export.detector.checkpoint import DetectorCheckpoint, load_detector
from trireel_export.detector.graph import write_detector_graph
from trireel_export.detector.verify import (
    BatchCheck,
    check_graph_detections,
    kept,
    known_detections,
)
from trireel_export.errors import BadSetting
from trireel_export.output import replacing, require_replaceable
from trireel_schema.detections import write_known_detections
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_FILES,
    DETECTOR_GRAPH_FILE,
    DETECTOR_WEIGHTS_FILE,
    KNOWN_DETECTIONS_FILE,
    DetectorMetadata,
    Fit,
    write_detector,
)
from trireel_schema.errors import InvalidValue
from trireel_schema.precision import Precision

DEFAULT_THRESHOLD = 0.5
MOST_BOXES = 300
"""Detections of a frame unless another number is given, or the detector has fewer."""
PACKAGES = ("torch", "transformers", "onnx", "onnxruntime")
"""Packages whose versions shape an export."""


@dataclass(frozen=True)
class DetectorReport:
    """The files of an exported detector, and how closely they follow the checkpoint."""

    output: Path
    """Folder of the export."""
    metadata: DetectorMetadata
    """The contents of its metadata file."""
    checks: tuple[BatchCheck, ...]
    """Comparisons that passed."""
    file_bytes: dict[str, int]
    """Size of every file in the output folder."""


def export_detector(
    checkpoint: str,
    output: Path,
    *,
    num_boxes: int | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    most_overlap: float = 1.0,
    precision: Precision = Precision.FP32,
    note: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> DetectorReport:
    """Export a detector, check the graph against the checkpoint, and only then fill `output`.

    Args:
        checkpoint: a Hugging Face folder or hub name.
        output: a new or empty folder, or one that holds an earlier export, which is replaced.
        num_boxes: detections of each frame; by default as many as the detector has boxes.
        threshold: smallest score of a detection that a server reports by default, 0 to 1.
        most_overlap: of two detections with one label in a frame that overlap more than this
            (intersection over union), a server drops the weaker one; 1 keeps all.
        precision: number format of the backbone's products: fp32 or fp16.
        note: sentence that people should read beside the detections.
        progress: called with a sentence when a step begins.

    Raises:
        ExportError: if the checkpoint cannot be exported; `output` is then as it was before.
    """
    if precision is Precision.BF16:
        raise BadSetting("precision is bf16: give fp32 or fp16 for a detector")
    require_replaceable(output, (*DETECTOR_FILES, DETECTOR_WEIGHTS_FILE))
    progress(f"Loading {checkpoint}")
    loaded = load_detector(checkpoint)
    count = _checked_boxes(loaded, num_boxes)
    with replacing(output) as folder:
        progress("Writing the graph")
        graph = folder / DETECTOR_GRAPH_FILE
        opset = write_detector_graph(loaded, graph, count, precision)
        metadata = _metadata(loaded, count, threshold, most_overlap, precision, note, opset)
        write_detector(metadata, folder / DETECTOR_FILE)
        progress("Detecting with the checkpoint itself")
        known = known_detections(loaded, count, threshold)
        progress("Checking the graph")
        checks = check_graph_detections(graph, known, precision)
        write_known_detections(kept(known), loaded.weights_sha256, folder / KNOWN_DETECTIONS_FILE)
        file_bytes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    return DetectorReport(output, metadata, tuple(checks), file_bytes)


def _checked_boxes(checkpoint: DetectorCheckpoint, num_boxes: int | None) -> int:
    most = checkpoint.candidates
    if num_boxes is None:
        return min(MOST_BOXES, int(checkpoint.model.config.num_queries))
    if not 1 <= num_boxes <= most:
        raise BadSetting(
            f"{num_boxes} boxes for each frame: {checkpoint.name} has"
            f" {checkpoint.model.config.num_queries} boxes with {checkpoint.classes} classes,"
            f" give 1 to {most}"
        )
    return num_boxes


def _metadata(
    checkpoint: DetectorCheckpoint,
    num_boxes: int,
    threshold: float,
    most_overlap: float,
    precision: Precision,
    note: str,
    opset: int,
) -> DetectorMetadata:
    try:
        return DetectorMetadata(
            checkpoint=checkpoint.name,
            architecture=checkpoint.architecture,
            weights_sha256=checkpoint.weights_sha256,
            labels=checkpoint.labels,
            width_px=checkpoint.preparation.width_px,
            height_px=checkpoint.preparation.height_px,
            fit=Fit.SQUASH,
            num_boxes=num_boxes,
            threshold=threshold,
            most_overlap=most_overlap,
            opset=opset,
            precision=precision,
            versions={name: version(name) for name in PACKAGES},
            note=note,
        )
    except InvalidValue as error:
        raise BadSetting(str(error)) from error
