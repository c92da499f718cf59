# SPDX-License-Identifier: Apache-2.0
"""A request's inputs by name, as plain Python and NumPy values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput

KEEP_OPEN = "keep_open"
"""Parameter of a request to the extractor; false: nothing goes on where its chunks end."""
KEEP_SEQUENCE = "keep_sequence"
"""Parameter of a request to the decoder: its video goes on, but has no chunk yet."""
INNER = "inner"
"""Parameter of every request from model to model: a word that this server's processes alone know.
A call loses the status of an error on its way back (Triton 2.51): with this word an answer has it
in its message, and the caller takes it out again."""
INNER_WORD_VARIABLE = "TRIREEL_INNER_WORD"
"""Of the environment: that word."""
MAX_TEXTS = 1000
MAX_TEXT_CHARACTERS = 2000  # a checkpoint reads 64 tokens of it

Number = TypeVar("Number", int, float, bool)


@dataclass(frozen=True)
class Request:
    """One request to a model, whoever brought it.

    Data types and numbers of dimensions are those of config.pbtxt: Triton has checked them.
    """

    array: Callable[[str], NDArray[Any] | None]
    """From an input's name to its values, None where the request does not bring it."""
    requested_outputs: frozenset[str] = frozenset()
    """Outputs the client asked for; all of the model's where it named none."""
    correlation_id: int | str = 0
    """Id of the sequence, 0 or "" outside one."""
    starts: bool = False
    """First request of its sequence."""
    ends: bool = False
    """Last request of its sequence."""
    is_cancelled: Callable[[], bool] = lambda: False
    """Tells whether the client has gone away."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the request says beside its inputs."""
    is_inner: bool = False
    """A model of this server asks, for a client that has been let in already."""

    def required(self, name: str) -> NDArray[Any]:
        """Return an input; raises InvalidInput where it is missing."""
        array = self.array(name)
        if array is None:
            raise InvalidInput(f"the request lacks {name}")
        return array

    def number(self, name: str, kind: type[Number]) -> Number | None:
        """Return a single number, None where the request does not bring it."""
        array = self.array(name)
        return None if array is None else kind(array.item())

    def data(self, name: str) -> bytes | None:
        """Return a single BYTES value, None where the request does not bring it."""
        array = self.array(name)
        return None if array is None else _bytes(array.item())

    def text(self, name: str) -> str | None:
        """Return a single BYTES value as text; raises InvalidInput where it is not UTF-8."""
        data = self.data(name)
        return None if data is None else _text(name, data)

    def reference(self, name: str) -> str | None:
        """Return a path or URI, None if the request does not bring it.

        A file's name may hold any bytes: those that are not UTF-8 become surrogate escapes.
        """
        data = self.data(name)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return all values of a BYTES tensor as texts, none of them blank.

        Raises:
            InvalidInput: there are none or too many, one is blank, too long or not UTF-8.
        """
        array = self.array(name)
        if array is None:
            return None
        if not 1 <= array.size <= MAX_TEXTS:
            raise InvalidInput(f"{name} holds {array.size} texts: send 1 to {MAX_TEXTS}")
        values = tuple(_text(name, _bytes(value)) for value in array.ravel())
        for index, value in enumerate(values):
            if not value.strip():
                raise InvalidInput(f"{name}[{index}] is blank: give a word or a sentence")
            if len(value) > MAX_TEXT_CHARACTERS:
                raise InvalidInput(
                    f"{name}[{index}] has {len(value)} characters: send up to {MAX_TEXT_CHARACTERS}"
                )
        return values


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text: {error}") from error
