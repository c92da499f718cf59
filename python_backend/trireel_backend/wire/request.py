# SPDX-License-Identifier: Apache-2.0
"""A request's inputs by name, as plain Python and NumPy values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput

KEEP_OPEN = "keep_open"
"""Parameter of a request to the extractor; false if no later request continues after its chunks."""
KEEP_SEQUENCE = "keep_sequence"
"""Parameter of a request to the decoder that has no chunk: its video continues, or with END is
abandoned."""
INNER = "inner"
"""Parameter of every request from model to model: a secret that only this server's processes know.
Triton 2.51 drops the status of an error when it returns to a calling model: if a request has this
secret, the status is put into the error's message, and the caller reads it from there."""
INNER_WORD_VARIABLE = "TRIREEL_INNER_WORD"
"""Environment variable that holds the secret."""
MAX_TEXTS = 1000
MAX_TEXT_CHARACTERS = 2000  # a checkpoint reads the first 64 tokens

Number = TypeVar("Number", int, float, bool)


@dataclass(frozen=True)
class Request:
    """One request to a model, from a client or from another model.

    Data types and numbers of dimensions match config.pbtxt: Triton has checked them.
    """

    array: Callable[[str], NDArray[Any] | None]
    """Returns the values of an input by its name, None if the request does not have it."""
    requested_outputs: frozenset[str] = frozenset()
    """Outputs that the client requests; all outputs of the model if the client names no output."""
    correlation_id: int | str = 0
    """Id of the sequence, 0 or "" outside a sequence."""
    starts: bool = False
    """True for the first request of a sequence."""
    ends: bool = False
    """True for the last request of a sequence."""
    is_cancelled: Callable[[], bool] = lambda: False
    """Returns whether the client has gone away."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the request, beside its inputs."""
    is_inner: bool = False
    """True for a request from a model of this server, which has already admitted the client."""

    def with_own_inputs(self, names: Iterable[str]) -> "Request":
        """Return the request with copies of inputs: Triton frees theirs when `execute` returns."""
        arrays = {name: array.copy() for name in names if (array := self.array(name)) is not None}
        return replace(self, array=arrays.get)

    def required(self, name: str) -> NDArray[Any]:
        """Return an input; raises InvalidInput if it is missing."""
        array = self.array(name)
        if array is None:
            raise InvalidInput(f"the request lacks {name}")
        return array

    def number(self, name: str, kind: type[Number]) -> Number | None:
        """Return a single number, None if the request does not have it."""
        array = self.array(name)
        return None if array is None else kind(array.item())

    def data(self, name: str) -> bytes | None:
        """Return a single BYTES value, None if the request does not have it."""
        array = self.array(name)
        return None if array is None else _bytes(array.item())

    def text(self, name: str) -> str | None:
        """Return a single BYTES value as text; raises InvalidInput if it is not UTF-8."""
        data = self.data(name)
        return None if data is None else _text(name, data)

    def reference(self, name: str) -> str | None:
        """Return a path or URI, None if the request does not have it.

        A file name may hold any bytes: bytes that are not UTF-8 become surrogate escapes.
        """
        data = self.data(name)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return all values of a BYTES tensor as texts, None if the request does not have it.

        Raises:
            InvalidInput: if there are no texts or too many, or a text is blank, too long or not
                UTF-8.
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
