# SPDX-License-Identifier: Apache-2.0
"""Reading the files of an export: metadata, text bank, known pictures, canary, detector."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trireel_backend.errors import MissingPart
from trireel_schema.detections import KnownDetections, read_known_detections
from trireel_schema.detector import DetectorMetadata, read_detector
from trireel_schema.errors import SchemaError
from trireel_schema.metadata import Metadata, read_metadata
from trireel_schema.pictures import Canary, KnownPictures, read_canary, read_known_pictures
from trireel_schema.texts import TextBank, read_text_bank


def load_metadata(path: Path) -> Metadata:
    """Read `metadata.json`; raises MissingPart if it is missing, damaged or of another format."""
    with _missing_parts():
        return read_metadata(path)


def load_text_bank(path: Path, metadata: Metadata) -> TextBank:
    """Read `text_bank.npz`; raises MissingPart if it is missing, damaged or of other weights."""
    with _missing_parts():
        return read_text_bank(path, metadata)


def load_gate(path: Path, metadata: Metadata) -> KnownPictures:
    """Read `gate.npz`; raises MissingPart if it is missing, damaged or of other weights."""
    with _missing_parts():
        return read_known_pictures(path, metadata)


def load_canary(path: Path) -> Canary:
    """Read `canary.npz`; raises MissingPart if it is missing or damaged."""
    with _missing_parts():
        return read_canary(path)


def load_detector(path: Path) -> DetectorMetadata:
    """Read `detector.json`; raises MissingPart if it is missing, damaged or of another format."""
    with _missing_parts():
        return read_detector(path)


def load_known_detections(path: Path, metadata: DetectorMetadata) -> KnownDetections:
    """Read `known_detections.npz`; raises MissingPart if it is damaged or of another detector."""
    with _missing_parts():
        return read_known_detections(path, metadata)


@contextmanager
def _missing_parts() -> Iterator[None]:
    try:
        yield
    except SchemaError as error:
        raise MissingPart(str(error)) from error
