# SPDX-License-Identifier: Apache-2.0
"""A request's place in a sequence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """A decoder call's place in its sequence."""

    correlation_id: str
    start: bool
    end: bool
