# SPDX-License-Identifier: Apache-2.0
"""The places: complete, and the vocabulary of the default lists."""

from pathlib import Path

import pytest

import trireel_export
from trireel_drawings.figures.activities import no_people
from trireel_drawings.places.register import PAIRS, PLACES
from trireel_drawings.places.vocabulary import DESCRIPTIONS, EMPTY, TAGS

LISTS = Path(trireel_export.__file__).parent / "lists"


def test_every_tag_and_description_is_drawn() -> None:
    assert len(TAGS) == len(set(TAGS)) == 20
    assert len(DESCRIPTIONS) == len(set(DESCRIPTIONS)) == 20
    assert {tag for tag, _ in PAIRS} == set(TAGS)
    assert {description for _, description in PAIRS} == set(DESCRIPTIONS)


def test_descriptions_say_more_than_tags() -> None:
    places_of = {words: [t for t, d in PAIRS if d == words] for words in DESCRIPTIONS}
    assert all(len(place.acts) >= 2 for place in PLACES.values())
    assert sum(len(places) >= 2 for places in places_of.values()) >= 10
    assert all(place.acts[EMPTY] is no_people for place in PLACES.values() if EMPTY in place.acts)


@pytest.mark.parametrize(("name", "words"), [("tags", TAGS), ("descriptions", DESCRIPTIONS)])
def test_lists_are_the_vocabulary(name: str, words: tuple[str, ...]) -> None:
    assert (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines() == list(words)
