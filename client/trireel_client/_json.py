# SPDX-License-Identifier: Apache-2.0
"""Plain values for JSON."""

from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a record as a dictionary by its fields' names, tuples and arrays as lists.

    A fraction becomes its numerator and denominator.
    A float32 becomes the shortest decimals that read back as the same float32.
    """
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | np.ndarray):
        return [plain(part) for part in value]
    if isinstance(value, Fraction):
        return [value.numerator, value.denominator]
    return float(str(value)) if isinstance(value, np.float32) else value
