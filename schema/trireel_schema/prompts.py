# SPDX-License-Identifier: Apache-2.0
"""A prompt: the sentence that a tag stands in when the text tower reads it."""

from collections.abc import Sequence

from trireel_schema.errors import InvalidValue

PLACE = "{}"
"""Part of a prompt that a tag replaces."""
BARE = PLACE
"""Prompt of tags that are read as they are, the default."""
MOST_CHARACTERS = 200


def check_prompt(prompt: str) -> None:
    """Raise InvalidValue if a prompt has not exactly one place for the tag, or is too long."""
    if prompt.count(PLACE) != 1 or len(prompt) > MOST_CHARACTERS or "\n" in prompt:
        raise InvalidValue(
            f"the prompt is {prompt[:MOST_CHARACTERS]!r}: give one line of at most"
            f" {MOST_CHARACTERS} characters with {PLACE} once, as in 'a photo of a {PLACE}'"
        )


def in_prompt(prompt: str, tags: Sequence[str]) -> tuple[str, ...]:
    """Return each tag in its sentence."""
    before, after = prompt.split(PLACE)
    return tuple(f"{before}{tag}{after}" for tag in tags)
