# SPDX-License-Identifier: Apache-2.0
"""The canary and the known pictures: read as they were written, with the shapes they must have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trireel_schema.errors import FileDamaged, FileMissing, WeightsMismatch
from trireel_schema.files import CANARY_FILE, GATE_FILE, METADATA_FILE
from trireel_schema.metadata import Metadata, read_metadata
from trireel_schema.pictures import (
    Canary,
    KnownPictures,
    read_canary,
    read_known_pictures,
    write_canary,
    write_known_pictures,
)

from .conftest import EXPORT, WIDTH


@pytest.fixture
def known() -> KnownPictures:
    frames = np.arange(3 * 4 * 4 * 3, dtype=np.uint8).reshape(3, 4, 4, 3)
    return KnownPictures(("x", "y", "z"), frames, np.eye(3, WIDTH, dtype=np.float32))


def test_the_committed_files_are_written_byte_for_byte(tmp_path: Path) -> None:
    metadata = read_metadata(EXPORT / METADATA_FILE)
    weights = metadata.weights_sha256
    write_canary(read_canary(EXPORT / CANARY_FILE), weights, tmp_path / CANARY_FILE)
    known = read_known_pictures(EXPORT / GATE_FILE, metadata)
    write_known_pictures(known, weights, tmp_path / GATE_FILE)
    for name in (CANARY_FILE, GATE_FILE):
        assert (tmp_path / name).read_bytes() == (EXPORT / name).read_bytes()


def test_known_pictures_of_other_weights_are_rejected(
    known: KnownPictures, metadata: Metadata, tmp_path: Path
) -> None:
    write_known_pictures(known, "other", tmp_path / GATE_FILE)
    with pytest.raises(WeightsMismatch, match="was made for weights other"):
        read_known_pictures(tmp_path / GATE_FILE, metadata)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        (
            "frames",
            np.zeros((3, 4, 5, 3), np.uint8),
            r"frames' .* uint8 \[3, 4, 5, 3\], it must be",
        ),
        ("frames", np.zeros((3, 4, 4, 3), np.int16), r"int16 .* it must be uint8 \[3, 4, 4, 3\]"),
        (
            "embeddings",
            np.zeros((2, WIDTH), np.float32),
            r"embeddings' .* must be float32 \[3, 8\]",
        ),
    ],
)
def test_known_pictures_of_another_shape_are_rejected(
    known: KnownPictures,
    metadata: Metadata,
    tmp_path: Path,
    name: str,
    value: np.ndarray,
    match: str,
) -> None:
    path = tmp_path / GATE_FILE
    write_known_pictures(replace(known, **{name: value}), metadata.weights_sha256, path)
    with pytest.raises(FileDamaged, match=match):
        read_known_pictures(path, metadata)


@pytest.mark.parametrize(
    ("frames", "embeddings"),
    [((2, 4, 4), (2, WIDTH)), ((3, 4, 4, 3), (3, WIDTH)), ((2, 4, 4, 3), (3, WIDTH))],
)
def test_a_canary_has_two_pictures(
    tmp_path: Path, frames: tuple[int, ...], embeddings: tuple[int, ...]
) -> None:
    canary = Canary(np.zeros(frames, np.uint8), np.zeros(embeddings, np.float32))
    write_canary(canary, "00ff", tmp_path / CANARY_FILE)
    with pytest.raises(FileDamaged, match="it must"):
        read_canary(tmp_path / CANARY_FILE)


def test_a_canary_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"canary\.npz is not there"):
        read_canary(tmp_path / CANARY_FILE)
