# SPDX-License-Identifier: Apache-2.0
"""Budgets of a question and of a session, and how tokens are counted before they are spent."""

from dataclasses import dataclass

BYTES_A_TOKEN = 3  # fewer than of English prose, so that the estimate is on the safe side


@dataclass(frozen=True)
class ChatLimits:
    """Budgets of the chat."""

    moments: int = 6
    """Largest number of moments that an answer may speak of."""
    pictures: int = 3
    """Largest number of pictures that a model looks at for one question; 0 for none."""
    prompt_tokens: int = 3000
    """Largest size of a prompt in tokens, history included."""
    history_tokens: int = 800
    """Share of the prompt that earlier questions and answers may have, in tokens."""
    answer_tokens: int = 400
    """Largest length of a text model's answer in tokens."""
    look_tokens: int = 48
    """Largest length in tokens of what is said about one picture."""
    answer_seconds: float = 120.0
    """Time in seconds that a text model may take for an answer."""
    look_seconds: float = 30.0
    """Time in seconds that all pictures of a question may take."""
    session_tokens: int = 100_000
    """Number of tokens that one session may spend, prompts and answers together."""
    session_turns: int = 100
    """Largest number of questions that a session keeps; the oldest go first."""
    sessions: int = 50
    """Largest number of sessions of an owner; the one that was used longest ago goes first."""
    own_questions: bool = False
    """True to ask the model that looks at pictures the question itself. False asks one of the few
    questions that every such model understands: what place, how many people, a description."""


def tokens_of(text: str) -> int:
    """Return the number of tokens of a text, rather too many than too few."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)
