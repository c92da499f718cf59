# SPDX-License-Identifier: Apache-2.0
"""Numbers and machines in words, as the pages of results have them."""

from collections.abc import Mapping
from typing import Any


def number(value: float, decimals: int | None = None) -> str:
    """Return a number in words: by default three digits that count; a count as it is."""
    if isinstance(value, int):
        return str(value)
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{decimals}f}"


def processors(machine: Mapping[str, Any]) -> str:
    """Return a machine's processors in words; files tell a list of them, or a number and a name."""
    cores = machine["cores"]
    if isinstance(cores, int):
        return f"{cores} x {machine['processor']}"
    return f"{len(cores)} x {cores[0]}"


def packages(machine: Mapping[str, Any]) -> str:
    """Return the versions of what is installed, in words; nothing where a file tells of none."""
    versions = machine.get("packages", {})
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)
