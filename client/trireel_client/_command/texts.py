# SPDX-License-Identifier: Apache-2.0
"""Free texts of a command line: given as they are, or in files."""

from collections.abc import Sequence
from pathlib import Path

import typer

from trireel_schema.errors import SchemaError
from trireel_schema.text_lists import read_text_list

FROM_FILE = "@"


def tags_of(text: str | None, file: Path | None) -> list[str] | None:
    """Return the tags of `--tags` and `--tags-file`; raises typer.BadParameter."""
    _check_one("--tags", text, file)
    if file is not None:
        return texts_in(file, "--tags-file")
    if text is None:
        return None
    if text.startswith(FROM_FILE):
        return texts_in(Path(text.removeprefix(FROM_FILE)), "--tags")
    return listed_texts(text)


def listed_texts(text: str) -> list[str]:
    """Return the texts between commas, without those that are blank."""
    return [part.strip() for part in text.split(",") if part.strip()]


def descriptions_of(texts: Sequence[str] | None, file: Path | None) -> list[str] | None:
    """Return the sentences of `--descriptions` and `--descriptions-file`.

    A sentence may hold commas, so each has an option of its own.

    Raises:
        typer.BadParameter: if both are there, or a file cannot be used.
    """
    _check_one("--descriptions", texts or None, file)
    if file is not None:
        return texts_in(file, "--descriptions-file")
    if not texts:
        return None
    found: list[str] = []
    for text in texts:
        if text.startswith(FROM_FILE):
            found += texts_in(Path(text.removeprefix(FROM_FILE)), "--descriptions")
        else:
            found.append(text.strip())
    return found


def texts_in(path: Path, option: str) -> list[str]:
    """Return the texts of a file, and tell repeated ones on stderr; raises typer.BadParameter."""
    try:
        read = read_text_list(path)
    except SchemaError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    for remark in read.remarks:
        typer.echo(f"trireel: {remark}", err=True)
    return list(read.texts)


def _check_one(option: str, text: object, file: Path | None) -> None:
    if text is not None and file is not None:
        raise typer.BadParameter(f"got both of {option} and {option}-file: give one of them")
