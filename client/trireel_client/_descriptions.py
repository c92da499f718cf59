# SPDX-License-Identifier: Apache-2.0
"""The records of a request to the server's model that describes pictures and answers questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True)
class DescribedPiece:
    """A piece of an answer, as the model writes it."""

    text: str
    """Text of the piece; all pieces together are the answer."""
    backend: str
    """Name of the backend that answers."""
    num_tokens: int
    """Number of tokens written so far, this piece included."""
    finish: str
    """Empty until the last piece, which has `stop`, or `length` if the answer was cut off."""


@dataclass(frozen=True)
class ChatTurn:
    """A message of the conversation before a question."""

    role: str
    """`user` or `assistant`."""
    content: str
    """Text of the message."""


class DescribeOptions(TypedDict, total=False):
    """Options of a request for a description; the server chooses those that are left out."""

    system: str | None
    """Text that tells the model what to do."""
    history: Sequence[ChatTurn] | None
    """Conversation before the prompt, oldest message first."""
    max_tokens: int | None
    """Largest number of tokens of the answer."""
    temperature: float | None
    """0 for the likeliest answer; higher values vary it."""
    seed: int | None
    """Number that decides an answer at a temperature above 0."""
