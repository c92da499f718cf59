# SPDX-License-Identifier: Apache-2.0
"""Answers from the search alone: plain sentences, each with its citation."""

from collections.abc import Sequence

from trireel_app.chat.citations import Citation, citation_of
from trireel_app.chat.plain_text import data
from trireel_app.chat.sightings import Sighting

NOT_SEEN = "I do not see that."
NO_TEXT_MODEL = "No text model answers, so this is what the search found."
NO_CITATIONS = "The text model named no moment that was found, so this is what the search found."
STOPPED = "The text model stopped here."
MOST_CHARACTERS = 240
MOST_TAGS = 3
MOST_OBJECTS = 8


def answer_from_search(
    sightings: Sequence[Sighting], reason: str
) -> tuple[str, tuple[Citation, ...]]:
    """Return an answer that lists moments, and its citations.

    Args:
        reason: first sentence, which says why no text model wrote the answer.
    """
    if not sightings:
        return NOT_SEEN, ()
    lines = [reason]
    citations: dict[str, Citation] = {}
    for sighting in sightings:
        found = citation_of(sighting)
        citations[found.text] = found
        lines.append(f"{_facts(sighting)} {found.text}")
        for remark in sighting.remarks:
            seen = citation_of(sighting, sighting.picture_seconds)
            citations[seen.text] = seen
            lines.append(
                f"Asked “{data(remark.question, MOST_CHARACTERS)}”, a model that looks at the"
                f" picture says “{data(remark.answer, MOST_CHARACTERS)}” {seen.text}"
            )
    return "\n".join(lines), tuple(citations.values())


def is_decline(text: str) -> bool:
    """Return whether a text model's answer says that it does not see what was asked for."""
    return text.strip().lower().startswith(NOT_SEEN.rstrip(".").lower())


def _facts(sighting: Sighting) -> str:
    place = ", ".join(data(tag, MOST_CHARACTERS) for tag in sighting.tags[:MOST_TAGS])
    head = data(sighting.description or sighting.caption, MOST_CHARACTERS).rstrip(".")
    parts = [f"{head} ({place})" if head and place else head or place]
    if sighting.on_screen:
        parts.append(f"on the screen: “{data(sighting.on_screen, MOST_CHARACTERS)}”")
    if sighting.objects:
        labels = ", ".join(sighting.objects[:MOST_OBJECTS])
        parts.append(f"objects: {data(labels, MOST_CHARACTERS)}")
    return "; ".join(filter(None, parts)) or "A scene without words"
