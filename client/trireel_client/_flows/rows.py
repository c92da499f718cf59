# SPDX-License-Identifier: Apache-2.0
"""Values that the readers of several findings share: chunks of an answer, and scored texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from trireel_client._findings import Caption, Tag
from trireel_client._flows.tensors import NUMBERS, TEXTS, floats, strings, take
from trireel_client._options import Tensors

Fields = Mapping[str, Any]
"""Some fields of a result, by their names."""

Text = TypeVar("Text", Tag, Caption)


@dataclass(frozen=True)
class Layout:
    """The chunks of an answer."""

    indices: tuple[int, ...]
    """Position of each chunk in the video."""
    frames: tuple[slice, ...]
    """Each chunk's stretch of the answer's frames."""


def scored_texts(
    kind: type[Text], tensors: Tensors, names: Sequence[str], size: int
) -> tuple[Text, ...]:
    """Return the scored texts of three tensors [size]; raises UnexpectedAnswer.

    Args:
        names: names of the tensors of texts, scores and probabilities.
    """
    shape = take(tensors, names[0], (size,)).shape
    return scored(kind, names, columns(tensors, names, shape))


def columns(tensors: Tensors, names: Sequence[str], shape: tuple[int, ...]) -> list[NDArray[Any]]:
    """Return tensors of texts, scores and probabilities, each of this shape."""
    kinds = (TEXTS, NUMBERS, NUMBERS)
    return [take(tensors, name, shape, kind) for name, kind in zip(names, kinds, strict=True)]


def scored(
    kind: type[Text], names: Sequence[str], parts: Sequence[NDArray[Any]]
) -> tuple[Text, ...]:
    """Return the scored texts of three arrays [k]: texts, scores, probabilities."""
    texts = strings(names[0], parts[0])
    scores, probabilities = map(floats, names[1:], parts[1:])
    rows = zip(texts, scores, probabilities, strict=True)
    return tuple(kind(text, score, probability) for text, score, probability in rows)
