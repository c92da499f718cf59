# SPDX-License-Identifier: Apache-2.0
"""The folder of an object detector, and `detector.json` in it.

The model `object_detector` takes FRAMES, uint8 [N, height_px, width_px, 3], and returns for each
frame `num_boxes` detections, the best first: BOXES, fp32 [N, K, 4] (left, top, right and bottom as
fractions 0 to 1 of the frame), SCORES, fp32 [N, K] 0 to 1, and LABELS, int32 [N, K].
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from trireel_schema.errors import InvalidValue
from trireel_schema.files import weights_file
from trireel_schema.json_files import read_json, write_json
from trireel_schema.json_values import read_number, read_text, read_texts, read_whole
from trireel_schema.precision import Precision

DETECTOR_MODEL = "object_detector"
"""Name of the model in the model repository."""
DETECTOR_INPUT = "FRAMES"
DETECTOR_OUTPUTS = ("BOXES", "SCORES", "LABELS")

DETECTOR_GRAPH_FILE = "model.onnx"
DETECTOR_FILE = "detector.json"
KNOWN_DETECTIONS_FILE = "known_detections.npz"
DETECTOR_FILES = (DETECTOR_GRAPH_FILE, DETECTOR_FILE, KNOWN_DETECTIONS_FILE)
"""The files that every exported detector has."""
DETECTOR_WEIGHTS_FILE = weights_file(DETECTOR_GRAPH_FILE)
"""File that holds the weights of a detector too large for one file."""

DETECTOR_FORMAT_VERSION = 1
"""Version that is written, and the only one that is read."""


class Fit(StrEnum):
    """How a picture of another shape is fitted into the detector's frame."""

    SQUASH = "squash"
    """Each side is scaled by itself, so that the picture fills the frame."""
    LETTERBOX = "letterbox"
    """Both sides are scaled alike, and bars fill the rest of the frame."""


@dataclass(frozen=True, kw_only=True)
class DetectorMetadata:
    """The contents of `detector.json`."""

    checkpoint: str
    """Hub name or folder name of the exported checkpoint."""
    architecture: str
    """Class of the checkpoint's model in transformers, such as "DFineForObjectDetection"."""
    weights_sha256: str
    """Hash of all weights; the known detections carry the same."""
    labels: tuple[str, ...]
    """Name of each class, at the index that LABELS holds."""
    width_px: int
    """Width of the frames that the detector takes."""
    height_px: int
    """Height of the frames that the detector takes."""
    fit: Fit
    """How a picture of another shape is fitted into a frame."""
    num_boxes: int
    """Number of detections for each frame, whatever their scores."""
    threshold: float
    """Smallest score of a detection that is reported, unless a request sets it."""
    opset: int
    """ONNX opset of the graph."""
    precision: Precision
    """Number format of the graph's products."""
    versions: dict[str, str]
    """Versions of the packages that made the export, by name."""
    note: str = ""
    """A sentence that people should read beside the detections; may be empty."""
    most_overlap: float = 1.0
    """Largest intersection over union of two detections with one label in a frame, 0 to 1. Of two
    that overlap more, the server drops the weaker one."""
    format_version: int = DETECTOR_FORMAT_VERSION
    """Version of this file's format."""

    def __post_init__(self) -> None:
        """Check the values; raises InvalidValue if one is out of range."""
        for name in ("width_px", "height_px", "num_boxes"):
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name} is {getattr(self, name)}: give a number, 1 or more")
        if not 0 <= self.threshold <= 1:
            raise InvalidValue(f"threshold is {self.threshold}: give a score, 0 to 1")
        if not 0 < self.most_overlap <= 1:
            raise InvalidValue(f"most_overlap is {self.most_overlap}: give a share, up to 1")
        if not self.labels or "" in self.labels:
            raise InvalidValue("labels lack a name: give each class of the detector one")
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise InvalidValue(f"the label {twice[0]!r} stands twice: give each class its own name")

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Return the shape of a frame: rows, columns and channels."""
        return self.height_px, self.width_px, 3


def write_detector(metadata: DetectorMetadata, path: Path) -> None:
    """Write the metadata as JSON that people can read."""
    write_json(asdict(metadata), path)


def read_detector(path: Path) -> DetectorMetadata:
    """Read `detector.json`.

    Raises:
        FileMissing: if there is no such file.
        FormatMismatch: if its format version is not DETECTOR_FORMAT_VERSION.
        FileDamaged: if it is not JSON, or a value is missing, of another type or out of range.
    """
    return read_json(path, DETECTOR_FORMAT_VERSION, _detector)


def _detector(raw: Mapping[str, Any]) -> DetectorMetadata:
    return DetectorMetadata(
        checkpoint=read_text(raw, "checkpoint"),
        architecture=read_text(raw, "architecture"),
        weights_sha256=read_text(raw, "weights_sha256"),
        labels=read_texts(raw, "labels"),
        width_px=read_whole(raw, "width_px"),
        height_px=read_whole(raw, "height_px"),
        fit=Fit(read_text(raw, "fit")),
        num_boxes=read_whole(raw, "num_boxes"),
        threshold=read_number(raw, "threshold"),
        opset=read_whole(raw, "opset"),
        precision=Precision(raw["precision"]),
        versions=_versions(raw["versions"]),
        note=read_text(raw, "note") if "note" in raw else "",
        most_overlap=read_number(raw, "most_overlap") if "most_overlap" in raw else 1.0,
    )


def _versions(raw: Mapping[str, Any]) -> dict[str, str]:
    return {name: read_text(raw, name) for name in dict(raw)}
