# SPDX-License-Identifier: Apache-2.0
"""Prompts: one place for the tag."""

import pytest

from trireel_schema.errors import InvalidValue
from trireel_schema.prompts import BARE, check_prompt, in_prompt


def test_every_tag_stands_in_its_sentence():
    assert in_prompt("a photo of a {}.", ["car", "{x}"]) == (
        "a photo of a car.",
        "a photo of a {x}.",
    )
    assert in_prompt(BARE, ["car"]) == ("car",)


@pytest.mark.parametrize("prompt", ["", "a photo", "{} and {}", "{}\n", "{}" + "x" * 200])
def test_a_prompt_without_exactly_one_place_is_rejected(prompt):
    with pytest.raises(InvalidValue, match=r"give one line of at most 200 characters with \{\}"):
        check_prompt(prompt)
