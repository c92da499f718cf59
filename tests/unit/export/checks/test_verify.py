# SPDX-License-Identifier: Apache-2.0
"""The comparison of a tower with its reference, on towers that go wrong in one way each."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trireel_export.checks.pictures import verification_pictures
from trireel_export.checks.verify import Items, check_tower
from trireel_export.errors import ConstantEmbeddings, EmbeddingsDiffer, NotUnitLength

COUNT, WIDTH = 20, 8


def unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def items() -> Items:
    """Rows that are their own embeddings, so that the right tower is the identity."""
    rows = unit(np.random.default_rng(3).normal(size=(COUNT, WIDTH)))
    return Items("pictures", [f"picture {number}" for number in range(COUNT)], rows, rows)


def test_a_right_tower_passes_in_every_batch_size(items: Items):
    sizes = []

    def right(rows: NDArray[Any]) -> NDArray[np.float32]:
        sizes.append(len(rows))
        return unit(rows)

    checks = check_tower(right, items).checks
    assert set(sizes) == {1, 3, 16, COUNT - 16}
    assert [check.subject for check in checks][:3] == [
        "pictures, batch 1", "pictures, batch 3", "pictures, batch 16"
    ]  # fmt: skip
    assert all(check.cosine == pytest.approx(1) for check in checks)


def test_the_worst_item_is_named(items: Items):
    def wrong_for_one(rows: NDArray[Any]) -> NDArray[np.float32]:
        target = (rows == items.rows[8]).all(axis=1)
        return unit(rows + 0.1 * target[:, None] * np.eye(WIDTH)[0])

    with pytest.raises(EmbeddingsDiffer, match=r"batch 16: the worst is 'picture 8' with cosine"):
        check_tower(wrong_for_one, items)


def test_embeddings_that_depend_on_their_batch_fail(items: Items):
    def leaking(rows: NDArray[Any]) -> NDArray[np.float32]:
        return unit(rows + 0.05 * rows.mean(axis=0) * (len(rows) > 1))

    with pytest.raises(EmbeddingsDiffer, match=r"pictures, batch 3: the worst is"):
        check_tower(leaking, items)


@pytest.mark.parametrize("factor", [1.01, np.nan])
def test_embeddings_of_another_length_fail(items: Items, factor: float):
    with pytest.raises(NotUnitLength, match=r"'picture 0' has length (1\.01|nan)"):
        check_tower(lambda rows: np.float32(factor) * rows, items)


def test_embeddings_of_another_width_fail(items: Items):
    with pytest.raises(EmbeddingsDiffer, match=r"shape \[4, 7\] instead of \[4, 8\]"):
        check_tower(lambda rows: unit(rows[:, :-1]), items)


def test_constant_embeddings_fail_if_the_checkpoint_agrees(items: Items):
    constant = unit(np.ones((COUNT, WIDTH)))
    same = Items(items.kind, items.names, items.rows, constant)
    with pytest.raises(ConstantEmbeddings, match=r"all embeddings are alike"):
        check_tower(lambda rows: constant[: len(rows)], same)


def test_the_pictures_are_not_square_and_always_the_same():
    first, second = verification_pictures(), verification_pictures()
    assert all(picture.width != picture.height for picture in first.values())
    assert all((np.asarray(first[name]) == np.asarray(second[name])).all() for name in first)
    kinds = Counter(name.split(",")[0] for name in first if name.startswith(("photo", "drawn")))
    assert kinds == {"photo": 6, "drawn": 20}
    assert len(first) == 42
