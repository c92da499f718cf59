# SPDX-License-Identifier: Apache-2.0
"""The bundled detector: its export belongs to its checkpoint, and says what it is."""

from pathlib import Path

from trireel_export.detector.checkpoint import load_detector
from trireel_schema.detections import read_known_detections
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_FILES,
    KNOWN_DETECTIONS_FILE,
    read_detector,
)

FOLDER = Path(__file__).parents[4] / "export/detector"
MODEL = FOLDER / "model"
MOST_BYTES = 8_000_000


def test_the_export_is_that_of_the_checkpoint() -> None:
    checkpoint, metadata = (
        load_detector(str(FOLDER / "checkpoint")),
        read_detector(MODEL / DETECTOR_FILE),
    )
    assert metadata.weights_sha256 == checkpoint.weights_sha256
    assert metadata.labels == checkpoint.labels
    assert metadata.checkpoint == "export/detector/checkpoint"
    assert len(read_known_detections(MODEL / KNOWN_DETECTIONS_FILE, metadata).names) == 12


def test_it_says_that_it_knows_drawings_only() -> None:
    assert "drawings only" in read_detector(MODEL / DETECTOR_FILE).note
    assert "knows drawings only" in (FOLDER / "checkpoint/README.md").read_text()


def test_it_is_small() -> None:
    assert {file.name for file in MODEL.iterdir()} == set(DETECTOR_FILES)
    files = [*MODEL.iterdir(), *(FOLDER / "checkpoint").iterdir()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
