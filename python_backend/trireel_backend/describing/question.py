# SPDX-License-Identifier: Apache-2.0
"""A question to a vision-language model, and the pieces of its answer."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.wire.request import Request

MOST_IMAGES = 16
MOST_IMAGE_BYTES = 64 * 2**20
"""Most bytes of all pictures of a question."""
LEAST_SIDE_PX = 2
MOST_CHARACTERS = 32_000
"""Most characters of prompt, system and history together."""
MOST_TURNS = 64
DEFAULT_MAX_TOKENS, MOST_TOKENS = 128, 4096
MOST_TEMPERATURE = 2.0
ROLES = ("user", "assistant")
STOP, LENGTH = "stop", "length"
CHARACTERS_PER_TOKEN = 4  # about, of English
TOKENS_PER_IMAGE = 256  # about, of a small picture


@dataclass(frozen=True)
class Turn:
    """One earlier message of a conversation."""

    role: str
    """`user` or `assistant`."""
    content: str
    """Text of the message."""


@dataclass(frozen=True)
class Question:
    """A question with its pictures, checked."""

    prompt: str
    """Text of the question."""
    images: NDArray[np.uint8] | None = None
    """[n, H, W, 3] RGB pictures, None for a question without pictures."""
    system: str = ""
    """Instructions for the model; empty for none."""
    history: tuple[Turn, ...] = ()
    """Earlier messages, the oldest first."""
    max_tokens: int = DEFAULT_MAX_TOKENS
    """Most tokens of the answer."""
    temperature: float = 0.0
    """0 for the most likely answer; higher for more variety."""
    seed: int | None = None
    """Seed of the variety; None for a new one each time."""

    @property
    def cost_tokens(self) -> int:
        """About how many tokens the question and the longest answer take."""
        characters = len(self.prompt) + len(self.system) + sum(len(t.content) for t in self.history)
        images = 0 if self.images is None else len(self.images)
        return characters // CHARACTERS_PER_TOKEN + images * TOKENS_PER_IMAGE + self.max_tokens


@dataclass(frozen=True)
class Piece:
    """A part of an answer."""

    text: str
    """Text that follows the pieces before."""
    num_tokens: int
    """Number of tokens of the answer so far."""
    finish: str = ""
    """`stop` or `length` with the last piece, empty before."""


def read_question(request: Request) -> Question:
    """Read a request, in memory of its own; raises InvalidInput."""
    prompt = request.text("PROMPT")
    if prompt is None or not prompt.strip():
        raise InvalidInput("PROMPT is blank: ask a question, or say what to describe")
    seed = request.number("SEED", int)
    question = Question(
        prompt=prompt,
        images=_images(request.array("IMAGES")),
        system=request.text("SYSTEM") or "",
        history=_history(request.text("HISTORY")),
        max_tokens=_within(request.number("MAX_TOKENS", int), 1, MOST_TOKENS, "MAX_TOKENS"),
        temperature=_temperature(request.number("TEMPERATURE", float)),
        seed=seed,
    )
    characters = len(prompt) + len(question.system) + sum(len(t.content) for t in question.history)
    if characters > MOST_CHARACTERS:
        raise InvalidInput(
            f"PROMPT, SYSTEM and HISTORY have {characters} characters: send up to {MOST_CHARACTERS}"
        )
    return question


def _images(array: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    if array is None or array.shape[0] == 0:
        return None
    count, height_px, width_px = array.shape[:3]
    if count > MOST_IMAGES:
        raise InvalidInput(f"IMAGES holds {count} pictures: send up to {MOST_IMAGES}")
    if min(height_px, width_px) < LEAST_SIDE_PX:
        raise InvalidInput(
            f"IMAGES are {width_px} x {height_px} pixels: send pictures of {LEAST_SIDE_PX} x"
            f" {LEAST_SIDE_PX} or more"
        )
    if array.nbytes > MOST_IMAGE_BYTES:
        raise InvalidInput(
            f"IMAGES have {array.nbytes} bytes: send up to {MOST_IMAGE_BYTES}, as fewer or smaller"
            " pictures"
        )
    return np.array(array, np.uint8)


def _history(text: str | None) -> tuple[Turn, ...]:
    if text is None or not text.strip():
        return ()
    wrong = (
        'HISTORY is not a JSON list of {"role": "user" or "assistant", "content": text}:'
        " send the messages before PROMPT in this form"
    )
    try:
        messages = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(wrong) from error
    if not isinstance(messages, list) or not all(_is_message(message) for message in messages):
        raise InvalidInput(wrong)
    if len(messages) > MOST_TURNS:
        raise InvalidInput(f"HISTORY holds {len(messages)} messages: send up to {MOST_TURNS}")
    return tuple(Turn(message["role"], message["content"]) for message in messages)


def _is_message(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and message.get("role") in ROLES
        and isinstance(message.get("content"), str)
    )


def _within(value: int | None, least: int, most: int, name: str) -> int:
    if value is None:
        return DEFAULT_MAX_TOKENS
    if not least <= value <= most:
        raise InvalidInput(f"{name} is {value}: give {least} to {most}")
    return value


def _temperature(value: float | None) -> float:
    if value is None:
        return 0.0
    if not 0.0 <= value <= MOST_TEMPERATURE:  # also false for NaN
        raise InvalidInput(f"TEMPERATURE is {value:g}: give 0 to {MOST_TEMPERATURE:g}")
    return value
