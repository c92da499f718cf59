# SPDX-License-Identifier: Apache-2.0
"""Position of a request in a sequence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """Position of a decoder call in its sequence."""

    correlation_id: str
    """Id of the sequence."""
    start: bool
    """True for the first call of the sequence."""
    end: bool
    """True for the last call of the sequence."""
