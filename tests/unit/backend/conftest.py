# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the server's rooms: a stand-in for Triton's module, and a small text bank."""

import sys

import numpy as np
import pytest
from support.fake_triton import make_module
from support.known import metadata_of

import trireel_backend.triton
from trireel_schema.metadata import write_metadata
from trireel_schema.texts import TextBank, TextSet, write_text_bank

WIDTH = 8


@pytest.fixture
def logged_errors():
    return []


@pytest.fixture
def triton(monkeypatch, logged_errors):
    """Install the stand-in for Triton's module, and a fresh adapter on top of it."""
    module = make_module(logged_errors)
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", module)
    # `from trireel_backend.triton import adapter` looks at the package first, then at sys.modules.
    monkeypatch.delattr(trireel_backend.triton, "adapter", raising=False)
    monkeypatch.delitem(sys.modules, "trireel_backend.triton.adapter", raising=False)
    yield module
    sys.modules.pop("trireel_backend.triton.adapter", None)


@pytest.fixture
def bank_files(tmp_path):
    """Write metadata and a bank of axis-parallel embeddings, as an export would."""
    metadata = metadata_of(
        checkpoint="axes", image_size_px=24, embedding_dim=WIDTH, text_length=64, versions={}
    )
    write_metadata(metadata, tmp_path / "metadata.json")
    axes = np.eye(WIDTH, dtype=np.float32)
    bank = TextBank(
        TextSet(tuple(f"tag {i}" for i in range(WIDTH)), axes),
        TextSet(tuple(f"description {i}" for i in range(WIDTH)), axes),
    )
    write_text_bank(bank, metadata.weights_sha256, tmp_path / "text_bank.npz")
    return {name: tmp_path / name for name in ("metadata.json", "text_bank.npz")}
