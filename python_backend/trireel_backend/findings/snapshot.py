# SPDX-License-Identifier: Apache-2.0
"""The state of a sequence as bytes, with which a video goes on at another server.

The bytes: a line that names the format, the SHA-256 of all that follows, the length of a JSON
object, this object, and the arrays' own bytes, one after another.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.codec import Reader, Writer, layout
from trireel_schema.metadata import Metadata
from trireel_schema.texts import TextBank

FAMILY = b"trireel-state "
FORMAT = FAMILY + b"1\n"
LENGTH = struct.Struct("<I")
DIGEST_BYTES = hashlib.sha256().digest_size
LARGEST_STATE_BYTES = 16 * 2**20
LARGEST_TREE_BYTES = 4 * 2**20
"""Most bytes of the JSON object; hostile JSON takes about twenty times as much in memory."""
RESTART = "begin the video again, with START and without START_STATE"


@dataclass(frozen=True)
class Checkpoint:
    """The export that a state was made with."""

    name: str
    """Name of the checkpoint, for error messages."""
    sha256: str
    """Hash of its weights and of its bank of texts."""

    @classmethod
    def of(cls, metadata: Metadata, bank: TextBank) -> "Checkpoint":
        """Return the identity of an export, the same on every server that has it."""
        digest = hashlib.sha256(metadata.weights_sha256.encode())
        for texts in (bank.tags, bank.descriptions):
            digest.update("\0".join(texts.texts).encode() + b"\1")
            digest.update(np.ascontiguousarray(texts.embeddings).data)
        return cls(metadata.checkpoint, digest.hexdigest())


class Snapshots:
    """Writes and reads the states of one sequence model."""

    def __init__(self, model: str, checkpoint: Checkpoint, types: Mapping[str, Any]) -> None:
        """Prepare for states of named parts.

        Args:
            model: name of the model that keeps the states.
            checkpoint: what the states belong to.
            types: type of each part, by its name; a state may hold some of the parts.

        Raises:
            TypeError: if a part cannot be written; see `codec.layout`.
        """
        self._checkpoint = checkpoint
        self._types = types
        self._layouts = {name: _short(layout(hint)) for name, hint in types.items()}
        self._model = model

    def pack(self, state: Mapping[str, Any]) -> bytes:
        """Return a state as bytes; `unpack` gives every part back bit for bit.

        Raises:
            InvalidInput: if the state is too large.
        """
        writer = Writer()
        tree = {
            "model": self._model,
            "checkpoint": [self._checkpoint.name, self._checkpoint.sha256],
            "layouts": {name: self._layouts[name] for name in state},
            "state": {name: writer.write(part, self._types[name]) for name, part in state.items()},
        }
        head = json.dumps(tree, separators=(",", ":")).encode()
        content = b"".join([LENGTH.pack(len(head)), head, *writer.arrays])
        packed = FORMAT + hashlib.sha256(content).digest() + content
        if len(packed) > LARGEST_STATE_BYTES or len(head) > LARGEST_TREE_BYTES:
            raise InvalidInput(
                f"the video's state has {len(packed)} bytes, {len(head)} of them JSON: up to"
                f" {LARGEST_STATE_BYTES} and {LARGEST_TREE_BYTES} can be returned: send the chunk"
                " without RETURN_STATE"
            )
        return packed

    def unpack(self, packed: bytes | memoryview) -> dict[str, Any]:
        """Return the parts of a state.

        Raises:
            InvalidInput: if the bytes are too many, cut off, changed, or no state; if the state is
                of another model, checkpoint or version.
        """
        tree, arrays = _opened(memoryview(packed))
        try:
            name, sha256 = tree["checkpoint"]
            model, layouts, state = tree["model"], tree["layouts"], tree["state"]
            if model != self._model:
                raise InvalidInput(
                    f"START_STATE is of the model {_quoted(model)}: this is {self._model}"
                )
            if sha256 != self._checkpoint.sha256:
                raise InvalidInput(
                    f"START_STATE is of another checkpoint or bank of texts ({_quoted(name)}):"
                    f" this server has {_quoted(self._checkpoint.name)}: {RESTART}"
                )
            for part in layouts.keys() | state.keys():
                if part not in self._types or layouts[part] != self._layouts[part]:
                    raise InvalidInput(
                        f"START_STATE holds {_quoted(part)} as another version of Trireel does:"
                        f" {RESTART}"
                    )
            reader = Reader(arrays)
            parts = {part: reader.read(item, self._types[part]) for part, item in state.items()}
            reader.end()
            return parts
        except InvalidInput:
            raise
        except Exception as error:  # the checksum is right, so somebody wrote it so
            raise _damaged() from error


def _opened(packed: memoryview) -> tuple[Any, memoryview]:
    """Return the JSON object and the arrays' bytes of a state; raises InvalidInput."""
    if len(packed) > LARGEST_STATE_BYTES:
        raise InvalidInput(
            f"START_STATE has {len(packed)} bytes: a state has up to {LARGEST_STATE_BYTES}"
        )
    start = bytes(packed[: len(FORMAT)])
    if start != FORMAT and start.startswith(FAMILY) and len(start) == len(FORMAT):
        raise InvalidInput(f"START_STATE is of another version of Trireel: {RESTART}")
    if start != FORMAT:
        raise InvalidInput(
            "START_STATE is not a state: send the bytes of STATE, which RETURN_STATE requests"
        )
    content = packed[len(FORMAT) + DIGEST_BYTES :]
    digest = bytes(packed[len(FORMAT) : len(FORMAT) + DIGEST_BYTES])
    if len(content) < LENGTH.size or hashlib.sha256(content).digest() != digest:
        raise _damaged()
    (length,) = LENGTH.unpack(content[: LENGTH.size])
    body = content[LENGTH.size :]
    if length > min(len(body), LARGEST_TREE_BYTES):
        raise _damaged()
    try:
        return json.loads(bytes(body[:length])), body[length:]
    except (ValueError, RecursionError) as error:
        raise _damaged() from error


def _damaged() -> InvalidInput:
    return InvalidInput(
        "START_STATE is cut off or changed: send all bytes of STATE as they came, or " + RESTART
    )


def _quoted(text: Any) -> str:
    return repr(str(text)[:100])


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
