# SPDX-License-Identifier: Apache-2.0
"""The request for a description, and the pieces of its answer."""

import json
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import Infer
from trireel_client._descriptions import DescribedPiece, DescribeOptions
from trireel_client._errors import InvalidRequest
from trireel_client._flows.tensors import TEXTS, integer, strings, take
from trireel_client._option_tensors import Kind, chosen_options, tensors_of
from trireel_client._options import Tensors, texts

MODEL = "describe"
OUTPUTS = ("TEXT", "BACKEND", "NUM_TOKENS", "FINISH")
NUMBERS = {
    "max_tokens": Kind(np.int32),
    "temperature": Kind(np.float32),
    "seed": Kind(np.int32),
}
Picture = NDArray[np.uint8]
"""[H, W, 3] RGB."""


def describe_call(prompt: str, pictures: Sequence[Picture], options: DescribeOptions) -> Infer:
    """Return the call that opens the stream of pieces.

    Args:
        prompt: question or instruction.
        pictures: uint8 [H, W, 3] of one size; none if the text alone is answered.

    Raises:
        InvalidRequest: if the pictures differ in size or are no pictures, or an option cannot be
            used.
    """
    chosen = chosen_options(options, DescribeOptions.__annotations__, ())
    inputs: dict[str, NDArray[Any]] = {"PROMPT": texts([prompt]), **tensors_of(chosen, NUMBERS)}
    if "system" in chosen:
        inputs["SYSTEM"] = texts([chosen["system"]])
    if chosen.get("history"):
        turns = [vars(turn) for turn in chosen["history"]]
        inputs["HISTORY"] = texts([json.dumps(turns, ensure_ascii=False)])
    if len(pictures):
        inputs["IMAGES"] = _stacked(pictures)
    return Infer(MODEL, inputs, OUTPUTS)


def piece_of(tensors: Tensors) -> DescribedPiece:
    """Return the piece in an answer; raises UnexpectedAnswer."""
    text, backend, finish = (
        strings(name, take(tensors, name, (1,), TEXTS))[0] for name in ("TEXT", "BACKEND", "FINISH")
    )
    return DescribedPiece(text, backend, integer(tensors, "NUM_TOKENS"), finish)


def described(
    answers: Generator[Tensors, None, None],
) -> Generator[DescribedPiece, None, None]:
    """Yield the pieces of a stream; closed early, it closes the stream."""
    with closing(answers):
        for tensors in answers:
            yield piece_of(tensors)


async def described_async(
    answers: AsyncGenerator[Tensors, None],
) -> AsyncGenerator[DescribedPiece, None]:
    """Yield the pieces of a stream, for event loops; closed early, it closes the stream."""
    async with aclosing(answers):
        async for tensors in answers:
            yield piece_of(tensors)


def _stacked(pictures: Sequence[Picture]) -> NDArray[np.uint8]:
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InvalidRequest(
                f"a picture is {picture.dtype} of shape {list(picture.shape)}: give uint8 [H, W, 3]"
            )
    if len({picture.shape for picture in pictures}) > 1:
        raise InvalidRequest("the pictures differ in size: scale them to one size")
    return np.stack(pictures)
