# SPDX-License-Identifier: Apache-2.0
"""Values of a JSON object, each of the type that it must have."""

from collections.abc import Mapping
from typing import Any


def read_text(raw: Mapping[str, Any], name: str) -> str:
    """Return a text; raises KeyError if it is missing, TypeError if it is of another type."""
    value = raw[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, not a text")
    return value


def read_whole(raw: Mapping[str, Any], name: str) -> int:
    """Return a whole number; raises KeyError if it is missing, TypeError for another type."""
    value = raw[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, not a whole number")
    return value


def read_number(raw: Mapping[str, Any], name: str) -> float:
    """Return a number; raises KeyError if it is missing, TypeError if it is of another type."""
    return to_number(raw[name], name)


def read_texts(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts; raises KeyError if it is missing, TypeError for another type."""
    values = raw[name]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{name} is {values!r}, not a list of texts")
    return tuple(values)


def to_number(value: Any, name: str) -> float:
    """Return a number; raises TypeError if the value is of another type."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, not a number")
    return value
