# SPDX-License-Identifier: Apache-2.0
"""`metadata.json`: read as it was written, and rejected with a reason otherwise."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from trireel_schema.errors import FileDamaged, FileMissing, FormatMismatch, InvalidValue
from trireel_schema.files import METADATA_FILE
from trireel_schema.metadata import Metadata, read_metadata, write_metadata
from trireel_schema.precision import Precision

from .conftest import EXPORT


def test_metadata_is_read_as_it_was_written(metadata: Metadata, tmp_path: Path) -> None:
    write_metadata(metadata, tmp_path / METADATA_FILE)
    assert read_metadata(tmp_path / METADATA_FILE) == metadata


def test_the_committed_export_is_written_byte_for_byte(tmp_path: Path) -> None:
    metadata = read_metadata(EXPORT / METADATA_FILE)
    assert metadata.precision is Precision.FP32
    write_metadata(metadata, tmp_path / METADATA_FILE)
    assert (tmp_path / METADATA_FILE).read_bytes() == (EXPORT / METADATA_FILE).read_bytes()


def test_a_field_that_is_not_known_is_ignored(metadata: Metadata, tmp_path: Path) -> None:
    path = tmp_path / METADATA_FILE
    write_metadata(metadata, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}))
    assert read_metadata(path) == metadata


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"metadata\.json is not there: give the output folder"):
        read_metadata(tmp_path / METADATA_FILE)


def test_a_folder_instead_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="cannot be read: Is a directory"):
        read_metadata(tmp_path)


def test_another_format_is_rejected(metadata: Metadata, tmp_path: Path) -> None:
    write_metadata(replace(metadata, format_version=2), tmp_path / METADATA_FILE)
    with pytest.raises(FormatMismatch, match="has format 2, this version of Trireel reads 1"):
        read_metadata(tmp_path / METADATA_FILE)


@pytest.mark.parametrize("content", ["[]", "not json", '"text"', '{"format_version": 1}'])
def test_a_file_that_is_not_complete_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / METADATA_FILE).write_text(content)
    with pytest.raises(FileDamaged, match=r"is not complete .* export the checkpoint again"):
        read_metadata(tmp_path / METADATA_FILE)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("image_size_px", "96", "image_size_px is '96', not a whole number"),
        ("image_size_px", True, "image_size_px is True, not a whole number"),
        ("embedding_dim", 0, "embedding_dim is 0: give a number, 1 or more"),
        ("checkpoint", None, "checkpoint is None, not a text"),
        ("logit_scale", "10", "logit_scale is '10', not a number"),
        ("scene_alpha", 2, "scene alpha is 2"),
        ("precision", "int8", "'int8' is not a valid Precision"),
        ("normalisation", {"mean": [1, 2, 3]}, "rescale_factor"),
    ],
)
def test_a_value_of_another_kind_is_named(
    metadata: Metadata, tmp_path: Path, name: str, value: object, reason: str
) -> None:
    path = tmp_path / METADATA_FILE
    write_metadata(metadata, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    with pytest.raises(FileDamaged, match=reason):
        read_metadata(path)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("scene_threshold", 0.0, r"scene threshold is 0\.0: .* give a number above 0, up to 2"),
        ("scene_threshold", 2.1, r"scene threshold is 2\.1"),
        ("scene_threshold", float("nan"), "scene threshold is nan"),
        ("scene_alpha", 0.0, r"scene alpha is 0\.0: give the weight"),
        ("text_length", -1, "text_length is -1: give a number, 1 or more"),
    ],
)
def test_numbers_out_of_range_are_rejected(
    metadata: Metadata, name: str, value: float, match: str
) -> None:
    with pytest.raises(InvalidValue, match=match):
        replace(metadata, **{name: value})
