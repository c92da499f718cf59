# SPDX-License-Identifier: Apache-2.0
"""Messages between the model's process and its owner: a length, JSON, and the pictures' bytes."""

import json
import math
import struct
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trireel_backend.describing.question import Piece, Question, Turn

HEADER = struct.Struct("<IQ")
"""Length of the JSON, and of the bytes behind it."""
MOST_JSON_BYTES = 2**20


class Broken(Exception):
    """A message is not what it must be."""


@dataclass(frozen=True)
class WorkerSetup:
    """Arguments of the process, as JSON."""

    socket_fd: int
    """Descriptor of the socket to the owner."""
    owner_pid: int
    """Process id of the owner."""
    model: str
    """Folder or hub name of the model."""
    device: str
    """`auto`, `cpu` or a device of PyTorch."""
    dtype: str
    """Data type of the weights by PyTorch's name, or `auto`."""
    bits: int
    """4 or 8 for quantised weights, else 0."""
    most_batch: int
    """Most questions in a batch."""


def packed(message: dict[str, Any], data: bytes = b"") -> bytes:
    """Return a message as bytes."""
    text = json.dumps(message).encode()
    return HEADER.pack(len(text), len(data)) + text + data


def sizes(header: bytes) -> tuple[int, int]:
    """Return the lengths that a header states; raises Broken."""
    json_bytes, data_bytes = HEADER.unpack(header)
    if json_bytes > MOST_JSON_BYTES:
        raise Broken(f"a message states {json_bytes} bytes of JSON")
    return json_bytes, data_bytes


def question_message(number: int, question: Question) -> bytes:
    """Return a question as a message with a number of its own."""
    images = question.images
    message = {
        "number": number,
        "shape": None if images is None else images.shape,
        "question": {**asdict(_without_images(question))},
    }
    return packed(message, b"" if images is None else images.tobytes())


def read_question_message(message: dict[str, Any], data: bytes) -> Question:
    """Return the question of a message of the owner, which is trusted."""
    fields = dict(message["question"])
    fields["history"] = tuple(Turn(**turn) for turn in fields["history"])
    shape = message["shape"]
    if shape is not None:
        if math.prod(shape) != len(data):
            raise Broken("the pictures' bytes do not have their shape")
        fields["images"] = np.frombuffer(data, np.uint8).reshape(shape)
    return Question(**fields)


def _without_images(question: Question) -> Question:
    return Question(
        prompt=question.prompt,
        images=None,
        system=question.system,
        history=question.history,
        max_tokens=question.max_tokens,
        temperature=question.temperature,
        seed=question.seed,
    )


def piece_message(number: int, piece: Piece) -> bytes:
    """Return a piece of the answer to a question."""
    return packed({"number": number, **asdict(piece)})


def failure_message(number: int, sentence: str, *, is_fault: bool) -> bytes:
    """Return that a question has no answer."""
    return packed({"number": number, "failed": sentence, "is_fault": is_fault})
