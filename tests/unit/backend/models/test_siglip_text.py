# SPDX-License-Identifier: Apache-2.0
"""Answers of `siglip_text`: texts as they are, and tags in the export's prompt."""

import numpy as np
import pytest
from support.repository import EXPORT

from trireel_backend.errors import InvalidInput
from trireel_backend.models.siglip_text import TextEncoder
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts


@pytest.fixture(scope="module")
def encoder():
    tower = Tower(EXPORT / "text.onnx", TowerSettings(1, "CPUExecutionProvider"))
    return TextEncoder(tower, EXPORT / "tokenizer.json", "a drawing of a {}")


def request(values, marks=None):
    arrays = {"TEXTS": texts(values)[:, None]}
    if marks is not None:
        arrays["ARE_TAGS"] = np.array(marks)[:, None]
    return Request(array=arrays.get)


def test_marked_texts_stand_in_the_prompt(encoder):
    assert encoder.texts(request(["park", "a park"], [True, False])) == (
        "a drawing of a park",
        "a park",
    )
    assert encoder.texts(request(["park"])) == ("park",)


def test_a_prompt_changes_the_embedding_and_the_batch_does_not(encoder):
    bare, prompted, both = encoder.encode_together(
        [["park"], ["a drawing of a park"], encoder.texts(request(["park"] * 2, [False, True]))]
    )
    np.testing.assert_allclose(both, np.concatenate([bare, prompted]), atol=1e-6)
    assert abs(bare - prompted).max() > 0.01


def test_marks_of_another_number_are_rejected(encoder):
    with pytest.raises(InvalidInput, match="ARE_TAGS has 1 rows and TEXTS has 2"):
        encoder.texts(request(["a", "b"], [True]))
    with pytest.raises(InvalidInput, match="TEXTS is missing"):
        encoder.texts(Request(array={}.get))
