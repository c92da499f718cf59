# SPDX-License-Identifier: Apache-2.0
"""Checked values out of output tensors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import UnexpectedAnswer
from trireel_client._options import Tensors

ANY = -1  # a dimension of any size
# Kinds of NumPy's dtypes.
NUMBERS, INTEGERS, TEXTS = "fiu", "biu", "OSU"


def take(
    tensors: Tensors, name: str, shape: tuple[int, ...], kinds: str | None = None
) -> NDArray[Any]:
    """Return a tensor after a check of its shape and its kind of dtype.

    Args:
        shape: expected shape; `ANY` fits every size.
        kinds: accepted kinds of NumPy's dtypes; None accepts all.

    Raises:
        UnexpectedAnswer: if the tensor is missing, or has another shape or kind.
    """
    tensor = tensors.get(name)
    if tensor is None:
        raise UnexpectedAnswer(f"the answer lacks {name}")
    fits = len(tensor.shape) == len(shape) and all(
        wanted in (ANY, got) for wanted, got in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        wanted_text = ", ".join("any" if size == ANY else str(size) for size in shape)
        raise UnexpectedAnswer(
            f"the answer's {name} has shape {list(tensor.shape)}, not [{wanted_text}]"
        )
    if kinds is not None and tensor.dtype.kind not in kinds:
        raise UnexpectedAnswer(f"the answer's {name} is of type {tensor.dtype}, which it never is")
    return tensor


def check_frames(tensors: Tensors, name: str, count: int) -> None:
    """Check that a tensor has a value for each of `count` frames; raises UnexpectedAnswer."""
    size = len(take(tensors, name, (ANY,)))
    if size != count:
        raise UnexpectedAnswer(
            f"the answer's {name} holds {size} frames, its CHUNK_NUM_FRAMES make {count}"
        )


def number(tensors: Tensors, name: str) -> float:
    """Return the number of a tensor [1]; raises UnexpectedAnswer."""
    return numbers(tensors, name, 1)[0]


def numbers(tensors: Tensors, name: str, size: int) -> tuple[float, ...]:
    """Return the numbers of a tensor [size] as `floats` does; raises UnexpectedAnswer."""
    return floats(name, take(tensors, name, (size,), NUMBERS))


def integer(tensors: Tensors, name: str) -> int:
    """Return the integer of a tensor [1]; raises UnexpectedAnswer."""
    return integers(tensors, name, 1)[0]


def integers(tensors: Tensors, name: str, size: int) -> tuple[int, ...]:
    """Return the integers of a tensor [size]; raises UnexpectedAnswer."""
    return tuple(int(value) for value in take(tensors, name, (size,), INTEGERS))


def floats(name: str, values: NDArray[Any]) -> tuple[float, ...]:
    """Return Python floats; a float32 by its shortest decimals: 0.9 rather than 0.899999976."""
    if not np.isfinite(values).all():
        raise UnexpectedAnswer(f"the answer's {name} holds what is not a finite number")
    if values.dtype == np.float32:
        return tuple(float(str(value)) for value in values)
    return tuple(float(value) for value in values)


def strings(name: str, values: NDArray[Any]) -> tuple[str, ...]:
    """Return the texts of a tensor of UTF-8; raises UnexpectedAnswer."""
    try:
        return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in values)
    except UnicodeDecodeError as error:
        raise UnexpectedAnswer(f"the answer's {name} holds what is not UTF-8") from error
