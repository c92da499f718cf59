# SPDX-License-Identifier: Apache-2.0
"""The Markdown of the results pages: paragraphs, tables, numbers, machines."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 120
MIB = 2**20


def document(*blocks: str) -> str:
    """Return a page of blocks, a blank line between them; empty blocks are left out."""
    return "\n\n".join(filter(None, blocks)) + "\n"


def paragraph(text: str, bullet: str = "") -> str:
    """Return a text in lines of at most 120 characters; `bullet` begins the first one."""
    indent = " " * len(bullet)
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=bullet,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullets(texts: Iterable[str]) -> str:
    """Return a list of texts."""
    return "\n".join(paragraph(text, "- ") for text in texts)


def table(heads: str, rows: Iterable[Iterable[object]]) -> str:
    """Return a table; `heads` are separated by `|`."""
    rule = "---|" * (heads.count("|") + 1)
    lines = (f"| {' | '.join(map(str, row))} |" for row in rows)
    return "\n".join([f"| {heads} |", f"|{rule}", *lines])


def number(value: float, decimals: int | None = None) -> str:
    """Return a number with three significant digits, or with some decimals; an int unchanged."""
    if isinstance(value, int):
        return str(value)
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:.{decimals}f}"


def processors(machine: Mapping[str, Any]) -> str:
    """Return a machine's processors; its `cores` are a list of names, or a count."""
    cores = machine["cores"]
    if isinstance(cores, int):
        return f"{cores} x {machine['processor']}"
    return f"{len(cores)} x {cores[0]}"


def packages(machine: Mapping[str, Any]) -> str:
    """Return the installed packages of a machine with their versions; may be empty."""
    versions = machine.get("packages", {})
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)
