# SPDX-License-Identifier: Apache-2.0
"""From the state of a finding to JSON and raw arrays, and back; no pickle.

The type hints of the frozen dataclasses say how a value is written and which values are accepted
when it is read, so bytes from outside choose no class. A new finding needs no code here.
"""

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

PLAIN = (bool, int, float, str)
LARGEST_INTEGER = 2**63
MOST_DIMENSIONS = 8
ITEM_BYTES = 64
"""Memory of a small Python object, for `size_bytes`."""


class Misfit(Exception):
    """A value, or what was read, does not fit its type."""


def layout(hint: Any) -> str:
    """Return a text of a type and all types within it: two types of one layout write the same.

    Raises:
        TypeError: if a state of this type cannot be written.
    """
    if isinstance(hint, Mapping):
        return f"{{{', '.join(f'{name}: {layout(part)}' for name, part in hint.items())}}}"
    if hint in (None, NoneType):
        return "None"
    if hint in PLAIN:
        return str(hint.__name__)
    if get_origin(hint) is Literal:
        return f"one of {get_args(hint)}"
    if get_origin(hint) is np.ndarray:
        return f"array of {_dtype(hint).str}"
    if _is_record(hint):
        return f"{hint.__name__}{layout(_fields(hint))}"
    if get_origin(hint) in (Union, UnionType, tuple, Mapping):
        parts = ("..." if part is ... else layout(part) for part in get_args(hint))
        return f"{getattr(get_origin(hint), '__name__', 'Union')}[{', '.join(parts)}]"
    raise TypeError(
        f"{hint} cannot be part of a state: use numbers, texts, arrays of a stated dtype, None,"
        " tuples, mappings by text and frozen dataclasses"
    )


class Writer:
    """Writes values as JSON, and keeps the bytes of their arrays in order."""

    def __init__(self) -> None:
        self.arrays: list[bytes] = []

    def write(self, value: Any, hint: Any) -> Any:
        """Return a value as JSON; an array becomes its shape.

        Raises:
            Misfit: if the value is not exactly of its type: a NumPy number in place of a float
                would be another number after a restart.
        """
        if isinstance(hint, Mapping):
            return [self.write(value[name], part) for name, part in hint.items()]
        origin, parts = get_origin(hint), get_args(hint)
        if origin is np.ndarray:
            return self._write_array(value, hint)
        if origin in (Union, UnionType):
            index = next((i for i, part in enumerate(parts) if _is_of(value, part)), None)
            if index is None:
                raise Misfit(f"{type(value).__name__} is none of {hint}")
            return [index, self.write(value, parts[index])]
        if not _is_of(value, hint):
            raise Misfit(f"got {type(value).__name__}, not {hint}")
        if origin is tuple:
            pairs = zip(value, _item_hints(parts, len(value)), strict=True)
            return [self.write(item, part) for item, part in pairs]
        if origin is Mapping:
            return {name: self.write(item, parts[1]) for name, item in value.items()}
        if _is_record(hint):
            return [self.write(getattr(value, name), part) for name, part in _fields(hint).items()]
        return value

    def _write_array(self, value: Any, hint: Any) -> list[int]:
        dtype = _dtype(hint)
        if not isinstance(value, np.ndarray) or value.dtype != dtype:
            raise Misfit(f"got {getattr(value, 'dtype', type(value).__name__)}, not {dtype}")
        self.arrays.append(np.ascontiguousarray(value, dtype.newbyteorder("<")).tobytes())
        return list(value.shape)


class Reader:
    """Reads what a `Writer` wrote; never allocates more than the arrays' bytes that are there."""

    def __init__(self, arrays: memoryview) -> None:
        self._arrays = arrays

    def read(self, tree: Any, hint: Any) -> Any:
        """Return the value of a JSON tree; raises Misfit if it is not of its type."""
        if isinstance(hint, Mapping):
            pairs = zip(_items(tree, len(hint)), hint.items(), strict=True)
            return {name: self.read(item, part) for item, (name, part) in pairs}
        origin, parts = get_origin(hint), get_args(hint)
        if origin is np.ndarray:
            return self._read_array(tree, _dtype(hint))
        if origin in (Union, UnionType):
            index, item = _items(tree, 2)
            if type(index) is not int or not 0 <= index < len(parts):
                raise Misfit(f"got alternative {index!r} of {hint}")
            return self.read(item, parts[index])
        if origin is tuple:
            items = _items(tree, None if parts[-1] is ... else len(parts))
            pairs = zip(items, _item_hints(parts, len(items)), strict=True)
            return tuple(self.read(item, part) for item, part in pairs)
        if origin is Mapping:
            if type(tree) is not dict:
                raise Misfit(f"got {type(tree).__name__}, not a mapping")
            return MappingProxyType({k: self.read(item, parts[1]) for k, item in tree.items()})
        if _is_record(hint):
            return hint(**self.read(tree, _fields(hint)))
        return _plain(tree, hint)

    def end(self) -> None:
        """Check that every byte was read; raises Misfit."""
        if len(self._arrays):
            raise Misfit(f"{len(self._arrays)} bytes are left over")

    def _read_array(self, tree: Any, dtype: "np.dtype[Any]") -> Any:
        shape = _items(tree, None)
        is_shape = all(type(size) is int and 0 <= size < LARGEST_INTEGER for size in shape)
        if not is_shape or len(shape) > MOST_DIMENSIONS:
            raise Misfit("got no shape of an array")
        size_bytes = math.prod(shape) * dtype.itemsize
        if size_bytes > len(self._arrays):
            raise Misfit(f"an array has {size_bytes} bytes, {len(self._arrays)} are there")
        data, self._arrays = self._arrays[:size_bytes], self._arrays[size_bytes:]
        array = np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)
        try:
            return array.reshape(shape)
        except ValueError as error:  # a size of 0 beside one that no array can have
            raise Misfit(str(error)) from error


def size_bytes(value: Any) -> int:
    """Return about how much memory a state takes; shared parts count each time."""
    if isinstance(value, np.ndarray):
        texts = value.ravel().tolist() if value.dtype == object else ()
        return ITEM_BYTES + int(value.nbytes) + sum(ITEM_BYTES + len(text) for text in texts)
    if isinstance(value, str | bytes):
        return ITEM_BYTES + len(value)
    if value is None or isinstance(value, int | float):
        return ITEM_BYTES
    if isinstance(value, tuple):
        return ITEM_BYTES + sum(map(size_bytes, value))
    kind: Any = type(value)
    if kind in (dict, MappingProxyType):  # a test by `Mapping` takes much longer
        return ITEM_BYTES + sum(map(size_bytes, value.values()))
    names: tuple[str, ...] = tuple(_fields(kind)) if _is_record(kind) else ()
    return ITEM_BYTES + sum(size_bytes(getattr(value, name)) for name in names)


def _is_record(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint)


@cache
def _fields(kind: Any) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return MappingProxyType({field.name: hints[field.name] for field in dataclasses.fields(kind)})


def _dtype(hint: Any) -> "np.dtype[Any]":
    """Return the dtype of NDArray[np.float32], and so on."""
    (scalar,) = get_args(get_args(hint)[1])
    dtype = np.dtype(scalar) if isinstance(scalar, type) else np.dtype(object)
    if dtype.kind not in "biuf":
        raise TypeError(f"{hint} states no dtype of numbers: name one, as NDArray[np.float32] does")
    return dtype


def _is_of(value: Any, hint: Any) -> bool:
    if hint in (None, NoneType):
        return value is None
    if get_origin(hint) is Literal:
        return any(type(value) is type(known) and value == known for known in get_args(hint))
    kind = get_origin(hint) or hint
    # A bool is an int for Python, and a NumPy float64 is a float.
    return type(value) is kind if kind in PLAIN else isinstance(value, kind)


def _plain(tree: Any, hint: Any) -> Any:
    if not _is_of(tree, hint):
        raise Misfit(f"got {type(tree).__name__}, not {getattr(hint, '__name__', hint)}")
    if hint is int and not -LARGEST_INTEGER <= tree < LARGEST_INTEGER:
        raise Misfit(f"got a number of {tree.bit_length()} bits")
    return tree


def _items(tree: Any, count: int | None) -> list[Any]:
    if type(tree) is not list or count not in (None, len(tree)):
        raise Misfit(f"got {type(tree).__name__}, not a list of {count or 'items'}")
    return tree


def _item_hints(parts: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    return parts[:1] * count if parts[-1] is ... else parts
