# SPDX-License-Identifier: Apache-2.0
"""Metadata and text sets that the tests of the schema share."""

from pathlib import Path

import numpy as np
import pytest

from trireel_schema.metadata import Metadata, Normalisation
from trireel_schema.precision import Precision
from trireel_schema.texts import TextBank, TextSet

EXPORT = Path(__file__).parents[3] / "export/tiny/model"
WIDTH = 8


@pytest.fixture
def metadata() -> Metadata:
    return Metadata(
        checkpoint="any",
        weights_sha256="00ff",
        image_size_px=4,
        resample="bicubic",
        embedding_dim=WIDTH,
        text_length=16,
        logit_scale=10.0,
        logit_bias=-2.0,
        scene_threshold=0.3,
        scene_alpha=0.1,
        opset=20,
        normalisation=Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        versions={"onnx": "1.0"},
        precision=Precision.FP32,
    )


@pytest.fixture
def bank() -> TextBank:
    axes = np.eye(WIDTH, dtype=np.float32)
    return TextBank(TextSet(("a", "b"), axes[:2]), TextSet(("c", "d", "é"), axes[2:5]))
