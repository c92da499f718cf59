# SPDX-License-Identifier: Apache-2.0
"""Plain values for JSON."""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a record as a dictionary by its fields' names, tuples and arrays as lists.

    A float32 becomes the shortest decimals that read back as the same float32.
    """
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | np.ndarray):
        return [plain(part) for part in value]
    return float(str(value)) if isinstance(value, np.float32) else value
