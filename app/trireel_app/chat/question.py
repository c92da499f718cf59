# SPDX-License-Identifier: Apache-2.0
"""What a question looks for: the text that stands for it, the words on the screen, the time.

The tower embeds descriptions, not questions. So the words that only ask are left out: "When does a
person cook?" looks for "a person cook". The rules are those of English; a question in another
language is searched as it is.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MOST_CHARACTERS = 2000
MOST_WORDS = 40  # more than the towers read


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ASKING = _words(
    "and or but so then now ok please can could would will you me us tell show find list give"
    " let know when where what who"
    " whom whose which why how many much often long is are was were does do did has have had there"
    " i we see seen shown shows appear appears happen happens happening happened going on at"
    " time times moment moments video videos clip clips scene scenes part parts it this that these"
    " those any in of about describe summarise summarize say says read reads its"
)
"""Words that only ask if they begin a question."""
ENDING = _words(
    "happen happens happening happened appear appears shown seen visible in on of the this that"
    " these those video videos clip clips library footage scene scenes here there please do does"
    " doing at time it screen happened going about is are"
)
"""Words that only ask if they end a question."""
HOW_MANY = re.compile(r"\bhow (many|much)\b", re.IGNORECASE)
PLACE = re.compile(r"\b(where|what (kind of )?(place|room|location))\b", re.IGNORECASE)
YES_NO = re.compile(
    r"^\W*(is|are|was|were|does|do|did|has|have|can|could)\b(?!\s+you\b)", re.IGNORECASE
)
QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{1,200})[\"”“»]")
CLOCK = re.compile(r"\b(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(\.\d{1,3})?\b")
WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
VERB = re.compile(r"^(\w+) (?:is|are|was|were) ", re.IGNORECASE)


class Kind(StrEnum):
    """What a question wants to know."""

    HOW_MANY = "how many"
    PLACE = "place"
    YES_NO = "yes or no"
    OTHER = "other"


@dataclass(frozen=True)
class Question:
    """A question, and what it looks for."""

    text: str
    """The question as it was put."""
    kind: Kind
    """What it wants to know."""
    subject: str
    """Text to search for; empty if the question is about the whole video."""
    on_screen: str | None
    """Text in quotation marks, which is looked for on the screen; None if there is none."""
    at_seconds: float | None
    """Time that the question names; None if it names none."""


def read_question(text: str) -> Question:
    """Return what a question looks for; `text` is cut after `MOST_CHARACTERS` characters."""
    text = " ".join(text.split())[:MOST_CHARACTERS]
    quoted = QUOTED.search(text)
    clock = CLOCK.search(text)
    return Question(
        text,
        _kind(text),
        _subject(CLOCK.sub(" ", text)),
        quoted[1].strip() or None if quoted else None,
        _seconds(clock) if clock else None,
    )


def _kind(text: str) -> Kind:
    if HOW_MANY.search(text):
        return Kind.HOW_MANY
    if PLACE.search(text):
        return Kind.PLACE
    return Kind.YES_NO if YES_NO.search(text) else Kind.OTHER


def _subject(text: str) -> str:
    """Return the words of a question without those that only ask."""
    found = list(WORD.finditer(text))
    while found and found[0][0].lower() in ASKING:
        found.pop(0)
    while found and found[-1][0].lower() in ENDING:
        found.pop()
    if not found:
        return ""
    found = found[:MOST_WORDS]
    subject = text[found[0].start() : found[-1].end()]
    # "people are in the kitchen" is no caption, "people in the kitchen" is.
    return VERB.sub(r"\1 ", subject)


def _seconds(clock: "re.Match[str]") -> float:
    hours, minutes, seconds, rest = clock.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + float(rest or 0)
