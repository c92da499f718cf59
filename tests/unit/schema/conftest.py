# SPDX-License-Identifier: Apache-2.0
"""Metadata and text sets that the tests of the schema share."""

from pathlib import Path

import numpy as np
import pytest
from support.known import metadata_of

from trireel_schema.metadata import Metadata
from trireel_schema.texts import TextBank, TextSet

EXPORT = Path(__file__).parents[3] / "export/tiny/model"
WIDTH = 8


@pytest.fixture
def metadata() -> Metadata:
    return metadata_of()


@pytest.fixture
def bank() -> TextBank:
    axes = np.eye(WIDTH, dtype=np.float32)
    return TextBank(TextSet(("a", "b"), axes[:2]), TextSet(("c", "d", "é"), axes[2:5]))
