# SPDX-License-Identifier: Apache-2.0
"""Text banks of any size and width, as files of an export."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.server import EXPORT
from trireel_backend.artifacts import load_metadata
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.metadata import Metadata
from trireel_schema.vectors import unit

DESCRIPTIONS = 20
ROWS_AT_ONCE = 10_000


def unit_rows(rng: np.random.Generator, count: int, width: int) -> NDArray[np.float32]:
    """Return random directions [count, width]."""
    rows = np.empty((count, width), np.float32)
    for start in range(0, count, ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        some[:] = unit(rng.standard_normal(some.shape, np.float32))
    return rows


def write_bank(tags: int, width: int, folder: Path) -> None:
    """Write metadata and a bank of random directions, the hardest case for a ranking."""
    metadata = json.loads((EXPORT / METADATA_FILE).read_text()) | {"embedding_dim": width}
    (folder / METADATA_FILE).write_text(json.dumps(metadata))
    _write(load_metadata(folder / METADATA_FILE), tags, folder / TEXT_BANK_FILE)


def export_with_bank(tags: int, folder: Path) -> Path:
    """Return the bundled export with a bank of random directions in place of its own."""
    for file in EXPORT.iterdir():
        if file.name != TEXT_BANK_FILE:
            (folder / file.name).symlink_to(file)
    _write(load_metadata(EXPORT / METADATA_FILE), tags, folder / TEXT_BANK_FILE)
    return folder


def _write(metadata: Metadata, tags: int, path: Path) -> None:
    rng = np.random.default_rng(20)
    np.savez(
        path,
        tag_texts=np.array([f"something that is seen, number {index}" for index in range(tags)]),
        tag_embeddings=unit_rows(rng, tags, metadata.embedding_dim),
        description_texts=np.array([f"what happens in it, {i}" for i in range(DESCRIPTIONS)]),
        description_embeddings=unit_rows(rng, DESCRIPTIONS, metadata.embedding_dim),
        weights_sha256=np.array(metadata.weights_sha256),
    )
