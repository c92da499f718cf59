# SPDX-License-Identifier: Apache-2.0
"""The gate of a served tower reports the server's own errors; what it compares is the schema's."""

import numpy as np
import pytest
from support.known import COUNT, known_pictures, known_texts, turned
from support.repository import EXPORT

from trireel_backend.artifacts import load_gate, load_metadata
from trireel_backend.errors import GateFailed, MissingPart
from trireel_backend.towers.gate import check_gate
from trireel_schema.gate import LEAST_COSINE


@pytest.fixture
def known():
    return known_pictures()


@pytest.fixture
def texts():
    return known_texts()


def test_the_checkpoints_own_embeddings_pass(known, texts):
    report = check_gate(known, known.embeddings, [texts])
    assert report.pictures == COUNT
    assert report.worst_cosine == pytest.approx(1)
    assert report.widest_swap == 0


def test_a_turned_embedding_fails_and_is_named(known, texts):
    embeddings = turned(known, 7)
    cosine = float(embeddings[7] @ known.embeddings[7])
    assert cosine < LEAST_COSINE
    with pytest.raises(GateFailed, match=rf"'picture 7' has cosine {cosine:.6f} to"):
        check_gate(known, embeddings, [texts])


def test_known_pictures_belong_to_the_weights(tmp_path):
    metadata = load_metadata(EXPORT / "metadata.json")
    known = load_gate(EXPORT / "gate.npz", metadata)
    assert known.frames.shape == (len(known.names), 96, 96, 3)
    assert known.embeddings.shape == (len(known.names), metadata.embedding_dim)
    with np.load(EXPORT / "gate.npz") as arrays:
        np.savez(tmp_path / "gate.npz", **(dict(arrays) | {"weights_sha256": np.array("other")}))
    with pytest.raises(MissingPart, match="was made for weights other"):
        load_gate(tmp_path / "gate.npz", metadata)
