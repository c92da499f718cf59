# SPDX-License-Identifier: Apache-2.0
"""From single options to input tensors: their types, their ranges, and which exclude each other."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import InvalidRequest

_CONVERT: Mapping[type[np.generic], Callable[[Any], float]] = {
    np.bool_: bool,
    np.int32: operator.index,
    np.float32: float,
    np.float64: float,
}


@dataclass(frozen=True)
class Kind:
    """The tensor of an option."""

    dtype: type[np.generic]
    size: int = 1
    tensor: str = ""
    """Name of the tensor, if it is not the option's name in capitals."""


def chosen_options(
    options: Mapping[str, Any], known: Collection[str], either_or: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the options that are not None.

    Args:
        either_or: pairs of options of which a caller gives one.

    Raises:
        TypeError: if there is no such option.
        InvalidRequest: if both options of a pair are set.
    """
    # A type checker rejects unknown keywords; Python itself lets them pass here.
    for name in options.keys() - set(known):
        raise TypeError(f"there is no option {name!r}: there are {', '.join(sorted(known))}")
    chosen = {name: value for name, value in options.items() if value is not None}
    for one, other in either_or:
        if one in chosen and other in chosen:
            raise InvalidRequest(f"got both of {one} and {other}: give one of them")
    return chosen


def tensors_of(chosen: Mapping[str, Any], kinds: Mapping[str, Kind]) -> dict[str, NDArray[Any]]:
    """Return the tensors of those options that are set; raises InvalidRequest for a wrong value."""
    tensors = {
        kind.tensor or name.upper(): _tensor(name, chosen[name], kind)
        for name, kind in kinds.items()
        if name in chosen
    }
    # A flag that is not set is not sent: the server then uses its default.
    return {name: array for name, array in tensors.items() if array.dtype != bool or array.any()}


def _tensor(name: str, value: Any, kind: Kind) -> NDArray[Any]:
    if kind.size == 1:
        return np.array([_converted(name, value, kind.dtype)], kind.dtype)
    if isinstance(value, str) or not _has_length(value, kind.size):
        raise InvalidRequest(f"{name} is {value!r}: give four numbers: left, top, width, height")
    return np.array([_converted(name, number, kind.dtype) for number in value], kind.dtype)


def _has_length(value: Any, length: int) -> bool:
    try:
        return len(value) == length
    except TypeError:  # a number has no length
        return False


def _converted(name: str, value: Any, dtype: type[np.generic]) -> float:
    try:
        converted = _CONVERT[dtype](value)
        if np.issubdtype(dtype, np.integer) and not -(2**31) <= converted < 2**31:
            raise OverflowError  # NumPy 1 would keep the lower bits and go on
    except (TypeError, ValueError, OverflowError) as error:
        kind = np.dtype(dtype).name
        raise InvalidRequest(f"{name} is {value!r}: give a number that fits {kind}") from error
    return converted
