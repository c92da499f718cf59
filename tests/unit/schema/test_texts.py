# SPDX-License-Identifier: Apache-2.0
"""Text banks: read as they were written, and only for the weights that they were made for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trireel_schema.errors import FileDamaged, FileMissing, InvalidValue, WeightsMismatch
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.metadata import Metadata, read_metadata
from trireel_schema.texts import TextBank, TextSet, read_text_bank, write_text_bank

from .conftest import EXPORT, WIDTH


def test_a_bank_is_read_as_it_was_written(
    bank: TextBank, metadata: Metadata, tmp_path: Path
) -> None:
    write_text_bank(bank, metadata.weights_sha256, tmp_path / TEXT_BANK_FILE)
    found = read_text_bank(tmp_path / TEXT_BANK_FILE, metadata)
    for written, read in ((bank.tags, found.tags), (bank.descriptions, found.descriptions)):
        assert read.texts == written.texts
        np.testing.assert_array_equal(read.embeddings, written.embeddings)


def test_the_committed_bank_is_written_byte_for_byte(tmp_path: Path) -> None:
    metadata = read_metadata(EXPORT / METADATA_FILE)
    bank = read_text_bank(EXPORT / TEXT_BANK_FILE, metadata)
    write_text_bank(bank, metadata.weights_sha256, tmp_path / TEXT_BANK_FILE)
    assert (tmp_path / TEXT_BANK_FILE).read_bytes() == (EXPORT / TEXT_BANK_FILE).read_bytes()


def test_a_bank_of_other_weights_is_rejected(
    bank: TextBank, metadata: Metadata, tmp_path: Path
) -> None:
    write_text_bank(bank, "other", tmp_path / TEXT_BANK_FILE)
    with pytest.raises(WeightsMismatch, match=r"made for weights other, .* files from one export"):
        read_text_bank(tmp_path / TEXT_BANK_FILE, metadata)


def test_a_bank_of_another_width_is_rejected(
    bank: TextBank, metadata: Metadata, tmp_path: Path
) -> None:
    write_text_bank(bank, metadata.weights_sha256, tmp_path / TEXT_BANK_FILE)
    match = r"array 'tag_embeddings' in .* is float32 \[2, 8\], it must be float32 \[2, 9\]"
    with pytest.raises(FileDamaged, match=match):
        read_text_bank(tmp_path / TEXT_BANK_FILE, replace(metadata, embedding_dim=9))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_bank_that_was_cut_off_is_rejected(
    bank: TextBank, metadata: Metadata, tmp_path: Path, share: float
) -> None:
    path = tmp_path / TEXT_BANK_FILE
    write_text_bank(bank, metadata.weights_sha256, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(FileDamaged, match="is not complete"):
        read_text_bank(path, metadata)


def test_an_array_that_is_not_there_is_named(metadata: Metadata, tmp_path: Path) -> None:
    np.savez(tmp_path / TEXT_BANK_FILE, tag_texts=np.array(["a"]))
    with pytest.raises(FileDamaged, match="tag_embeddings is not a file in the archive"):
        read_text_bank(tmp_path / TEXT_BANK_FILE, metadata)


def test_a_pickle_is_never_run(metadata: Metadata, tmp_path: Path) -> None:
    path = tmp_path / TEXT_BANK_FILE
    np.savez(path, tag_texts=np.array(["a", None], object))
    with pytest.raises(FileDamaged, match="allow_pickle=False"):
        read_text_bank(path, metadata)


def test_a_bank_that_is_not_there_is_named(metadata: Metadata, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"text_bank\.npz is not there"):
        read_text_bank(tmp_path / TEXT_BANK_FILE, metadata)


@pytest.mark.parametrize(
    ("texts", "shape"), [((), (0, WIDTH)), (("a",), (2, WIDTH)), (("a",), (WIDTH,))]
)
def test_texts_without_an_embedding_each_are_rejected(
    texts: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidValue, match=f"got {len(texts)} texts and embeddings"):
        TextSet(texts, np.zeros(shape, np.float32))
