# SPDX-License-Identifier: Apache-2.0
"""Long lists: embedded part by part, which is told."""

from pathlib import Path

import numpy as np
import pytest

from trireel_export import bank
from trireel_export.bank import write_bank
from trireel_export.siglip.checkpoint import Checkpoint, load_checkpoint

TINY = str(Path(__file__).parents[3] / "export/tiny/checkpoint")
TAGS = tuple(f"tag {number}" for number in range(20))
DESCRIPTIONS = ("a person", "a car")


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(TINY)


def test_a_long_list_is_told_part_by_part(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(bank, "TEXTS_A_STEP", 8)
    told: list[str] = []
    write_bank(checkpoint, TAGS, DESCRIPTIONS, tmp_path / "bank.npz", told.append)
    assert told == ["8 of 20 tags", "16 of 20 tags"]
    with np.load(tmp_path / "bank.npz") as arrays:
        parts = arrays["tag_embeddings"]
        assert tuple(arrays["tag_texts"].tolist()) == TAGS
        assert arrays["description_embeddings"].shape == (2, checkpoint.embedding_dim)
    np.testing.assert_allclose(parts, checkpoint.embed_texts(TAGS), atol=1e-6)


def test_a_prompt_stands_around_tags_alone(checkpoint, tmp_path):
    path = tmp_path / "bank.npz"
    write_bank(
        checkpoint, TAGS[:2], DESCRIPTIONS, path, lambda step: None, tag_prompt="a photo of {}"
    )
    with np.load(path) as arrays:
        tags, descriptions = arrays["tag_embeddings"], arrays["description_embeddings"]
    wanted = checkpoint.embed_texts(["a photo of tag 0", "a photo of tag 1"])
    np.testing.assert_allclose(tags, wanted, atol=1e-6)
    np.testing.assert_allclose(descriptions, checkpoint.embed_texts(DESCRIPTIONS), atol=1e-6)
