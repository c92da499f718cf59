# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the server's rooms: a stand-in for Triton's module, and a small text bank."""

import json
import sys

import numpy as np
import pytest
from support.fake_triton import make_module

import trireel_backend.triton

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
    metadata = {
        "format_version": 1,
        "checkpoint": "axes",
        "precision": "fp32",
        "weights_sha256": "00ff",
        "image_size_px": 24,
        "embedding_dim": WIDTH,
        "text_length": 64,
        "logit_scale": 10.0,
        "logit_bias": -2.0,
        "scene_threshold": 0.3,
        "scene_alpha": 0.1,
    }
    (tmp_path / "metadata.json").write_text(json.dumps(metadata))
    axes = np.eye(WIDTH, dtype=np.float32)
    np.savez(
        tmp_path / "text_bank.npz",
        tag_texts=np.array([f"tag {i}" for i in range(WIDTH)]),
        tag_embeddings=axes,
        description_texts=np.array([f"description {i}" for i in range(WIDTH)]),
        description_embeddings=axes,
        weights_sha256=np.array("00ff"),
    )
    return {name: tmp_path / name for name in ("metadata.json", "text_bank.npz")}
