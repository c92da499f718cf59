# SPDX-License-Identifier: Apache-2.0
"""Questions about drawings: their answers follow from what was painted."""

from collections import Counter
from dataclasses import replace

import numpy as np

from trireel_drawings.describing.measure import held_out
from trireel_drawings.describing.pictures import FRAMES, Facts, draw_piece
from trireel_drawings.describing.questions import (
    NOTHING,
    Kind,
    ask,
    change,
    described,
    kinds_for,
    number,
)
from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS

FACTS = Facts(PAIRS.index(("kitchen", "A person cooking at a stove")), True, 1, 0, "red", True)
BEACH = PAIRS.index(("beach", "A person running"))
EMPTY_OFFICE = PAIRS.index(("office", "An empty room with nobody inside"))
SCENES = 30


def test_a_description_names_what_happens_and_where() -> None:
    assert described(FACTS.pair) == "a person cooking at a stove in a kitchen"
    assert described(BEACH) == "a person running on a beach"
    assert described(EMPTY_OFFICE) == "an empty office with nobody inside"


def test_changes() -> None:
    beach = replace(FACTS, pair=BEACH)
    assert change(FACTS, beach) == "the place changed from a kitchen to a beach"
    with_balloon = replace(FACTS, balloons=1, colour="orange")
    assert change(replace(FACTS, colour="orange"), with_balloon) == "an orange balloon appeared"
    assert change(with_balloon, replace(with_balloon, balloons=0)) == (
        "an orange balloon disappeared"
    )
    assert change(FACTS, FACTS) == NOTHING


def test_numbers() -> None:
    assert [number(count) for count in (0, 1, 4, 5, 11)] == ["none", "one", "four", "many", "many"]


def test_a_scene_with_guests_is_not_described() -> None:
    assert Kind.DESCRIBE in kinds_for([FACTS])
    assert Kind.DESCRIBE not in kinds_for([replace(FACTS, is_plain=False)])
    assert Kind.COUNT not in kinds_for([replace(FACTS, is_countable=False)])


def test_yes_and_no_are_true() -> None:
    answers = Counter()
    for seed in range(200):
        question = ask(Kind.YES_NO, [FACTS], Dice(seed))
        answers[question.answer] += 1
        if "person" in question.text:
            assert question.answer == "yes"
        if "balloon" in question.text:
            assert question.answer == "no"
        if question.text.startswith("Is this"):
            assert (question.answer == "yes") == ("kitchen" in question.text)
    assert min(answers["yes"], answers["no"]) > 40


def test_the_pictures_are_the_same_each_time() -> None:
    first, again = (draw_piece(5, SCENES, 0) for _ in range(2))
    assert first.frames.shape == (SCENES, FRAMES, 96, 96, 3)
    assert np.array_equal(first.frames, again.frames)
    assert first.facts == again.facts


def test_the_facts_fit_the_pictures() -> None:
    facts = [each for scene in draw_piece(0, SCENES, 0).facts for each in scene]
    assert {each.is_plain for each in facts} == {True, False}
    assert any(each.balloons for each in facts)
    assert all(each.balloons == 0 for each in facts if each.is_plain)


def test_held_out_questions_are_of_every_kind() -> None:
    questions = held_out(SCENES)
    assert {each.question.kind for each in questions} == set(Kind) - {Kind.COLOUR}
    for each in questions:
        assert len(each.pictures) == (2 if each.question.kind is Kind.CHANGE else 1)
