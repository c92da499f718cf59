# SPDX-License-Identifier: Apache-2.0
"""Questions about pictures, and their true answers.

Answers are in lower case and without punctuation, because the tokenizer knows nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trireel_drawings.describing.pictures import COLOURS, Facts
from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import EMPTY, TAGS

NUMBERS = ("none", "one", "two", "three", "four")
MANY = "many"
ON = frozenset(("city street", "beach", "sports field"))
"""Places that something is on, not in."""
YES, NO = "yes", "no"
NOTHING = "nothing changed"
NO_BALLOON = "there is no balloon"


class Kind(StrEnum):
    """Kinds of questions."""

    DESCRIBE = "description"
    PLACE = "place"
    YES_NO = "yes/no"
    COUNT = "counting"
    COLOUR = "colour"
    CHANGE = "change"


WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.DESCRIBE: (
        "Describe the picture.",
        "Describe the pictures.",
        "Describe the scene.",
        "What is happening?",
        "What do you see?",
    ),
    Kind.PLACE: ("Which place is this?", "What place is this?", "Where is this?"),
    Kind.COLOUR: ("Which colour is the balloon?", "What colour is the balloon?"),
    Kind.CHANGE: ("What changed?", "What changed between the two pictures?"),
}
"""Ways to put a question that is the same for all pictures; the first is the usual one."""
COUNT_WORDS = ("How many {} are there?", "How many {} do you see?", "How many {}?")
COUNTED = ("people", "balloons")


@dataclass(frozen=True)
class Question:
    """A question about some pictures, and its answer."""

    kind: Kind
    """Kind of the question."""
    text: str
    """The question, as a person writes it."""
    answer: str
    """The true answer."""


def described(pair: int) -> str:
    """Return the description of a scene, with its place."""
    tag, description = PAIRS[pair]
    if description == EMPTY:
        return f"an empty {tag} with nobody inside"
    return f"{description.lower()} {'on' if tag in ON else 'in'} {article(tag)} {tag}"


def article(noun: str) -> str:
    """Return the indefinite article of a noun."""
    return "an" if noun[0] in "aeiou" else "a"


def number(count: int) -> str:
    """Return the word for a count."""
    return NUMBERS[count] if count < len(NUMBERS) else MANY


def change(before: Facts, after: Facts) -> str:
    """Return what is different in the second of two pictures."""
    from_tag, to_tag = PAIRS[before.pair][0], PAIRS[after.pair][0]
    if from_tag != to_tag:
        from_place, to_place = f"{article(from_tag)} {from_tag}", f"{article(to_tag)} {to_tag}"
        return f"the place changed from {from_place} to {to_place}"
    balloon = f"{article(after.colour)} {after.colour} balloon"
    if after.balloons > before.balloons:
        return f"{balloon} appeared"
    if after.balloons < before.balloons:
        return f"{balloon} disappeared"
    return NOTHING


def kinds_for(pictures: Sequence[Facts]) -> tuple[Kind, ...]:
    """Return the kinds of questions that one or more pictures of one scene can answer."""
    if len(pictures) > 1:
        return (Kind.DESCRIBE, Kind.PLACE) if all(p.is_plain for p in pictures) else (Kind.PLACE,)
    facts = pictures[0]
    kinds = [Kind.PLACE, Kind.YES_NO]
    if facts.is_plain:
        kinds.append(Kind.DESCRIBE)
    if facts.is_countable:
        kinds += [Kind.COUNT, Kind.COLOUR]
    return tuple(kinds)


def ask(kind: Kind, pictures: Sequence[Facts], dice: Dice) -> Question:
    """Return a question of a kind; the dice choose its words and what it is about."""
    facts = pictures[0]
    if kind in (Kind.YES_NO, Kind.COUNT):
        text, answer = _YES_NO_OR_COUNT[kind](facts, dice)
        return Question(kind, text, answer)
    answers: dict[Kind, Callable[[], str]] = {
        Kind.DESCRIBE: lambda: described(facts.pair),
        Kind.PLACE: lambda: PAIRS[facts.pair][0],
        Kind.COLOUR: lambda: facts.colour if facts.balloons else NO_BALLOON,
        Kind.CHANGE: lambda: change(pictures[0], pictures[1]),
    }
    return Question(kind, dice.pick(WORDS[kind]), answers[kind]())


def _count(facts: Facts, dice: Dice) -> tuple[str, str]:
    counted = dice.pick(COUNTED)
    count = facts.people if counted == "people" else facts.balloons
    return dice.pick(COUNT_WORDS).format(counted), number(count)


def _yes_no(facts: Facts, dice: Dice) -> tuple[str, str]:
    tag = PAIRS[facts.pair][0]
    about = dice.count(0, 3 if facts.is_countable else 1)
    if about <= 1:
        other = tag if dice.chance(0.5) else dice.pick(TAGS)
        return f"Is this {article(other)} {other}?", YES if other == tag else NO
    if about == 2:
        return "Is there a person?", YES if facts.people else NO
    colour = facts.colour if dice.chance(0.6) else dice.pick(tuple(COLOURS))
    is_there = facts.balloons > 0 and colour == facts.colour
    return f"Is there {article(colour)} {colour} balloon?", YES if is_there else NO


_YES_NO_OR_COUNT = {Kind.YES_NO: _yes_no, Kind.COUNT: _count}
