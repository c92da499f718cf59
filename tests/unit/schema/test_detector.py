# SPDX-License-Identifier: Apache-2.0
"""`detector.json`: read as it was written, and rejected with a reason otherwise."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.known import detector_metadata_of

from trireel_schema.detector import DETECTOR_FILE, DetectorMetadata, read_detector, write_detector
from trireel_schema.errors import FileDamaged, FileMissing, FormatMismatch, InvalidValue


@pytest.fixture
def metadata() -> DetectorMetadata:
    return detector_metadata_of()


def _changed(path: Path, metadata: DetectorMetadata, **values: object) -> Path:
    write_detector(metadata, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return path


def test_it_is_read_as_it_was_written(metadata: DetectorMetadata, tmp_path: Path) -> None:
    write_detector(metadata, tmp_path / DETECTOR_FILE)
    assert read_detector(tmp_path / DETECTOR_FILE) == metadata


def test_an_export_that_says_nothing_keeps_all(metadata: DetectorMetadata, tmp_path: Path) -> None:
    path = tmp_path / DETECTOR_FILE
    write_detector(replace(metadata, most_overlap=0.5), path)
    raw = json.loads(path.read_text())
    del raw["most_overlap"]
    path.write_text(json.dumps(raw))
    assert read_detector(path).most_overlap == 1.0


def test_a_frame_has_rows_before_columns(metadata: DetectorMetadata) -> None:
    assert replace(metadata, width_px=320, height_px=192).frame_shape == (192, 320, 3)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"detector\.json is not there: give the output folder"):
        read_detector(tmp_path / DETECTOR_FILE)


def test_another_format_is_rejected(metadata: DetectorMetadata, tmp_path: Path) -> None:
    path = _changed(tmp_path / DETECTOR_FILE, metadata, format_version=9)
    with pytest.raises(FormatMismatch, match="has format 9, this version of Trireel reads 1"):
        read_detector(path)


@pytest.mark.parametrize("content", ["[]", "not json", '"text"', '{"format_version": 1}'])
def test_a_file_that_is_not_complete_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / DETECTOR_FILE).write_text(content)
    with pytest.raises(FileDamaged, match=r"is not complete .* export the checkpoint again"):
        read_detector(tmp_path / DETECTOR_FILE)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("labels", "person", "labels is 'person', not a list of texts"),
        ("labels", ["person", 1], "not a list of texts"),
        ("fit", "crop", "'crop' is not a valid Fit"),
        ("precision", "int8", "'int8' is not a valid Precision"),
        ("num_boxes", 0, "num_boxes is 0: give a number, 1 or more"),
        ("width_px", "320", "width_px is '320', not a whole number"),
        ("threshold", True, "threshold is True, not a number"),
        ("versions", {"torch": 2}, "torch is 2, not a text"),
    ],
)
def test_a_value_of_another_kind_is_named(
    metadata: DetectorMetadata, tmp_path: Path, name: str, value: object, reason: str
) -> None:
    with pytest.raises(FileDamaged, match=reason):
        read_detector(_changed(tmp_path / DETECTOR_FILE, metadata, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("threshold", 1.5, r"threshold is 1\.5: give a score, 0 to 1"),
        ("threshold", float("nan"), "threshold is nan"),
        ("height_px", -1, "height_px is -1"),
        ("most_overlap", 0.0, "most_overlap is 0.0"),
        ("labels", (), "labels lack a name"),
        ("labels", ("car", ""), "labels lack a name"),
        ("labels", ("car", "bus", "car"), "the label 'car' stands twice"),
    ],
)
def test_a_value_out_of_range_is_rejected(
    metadata: DetectorMetadata, name: str, value: object, reason: str
) -> None:
    with pytest.raises(InvalidValue, match=reason):
        replace(metadata, **{name: value})
