# SPDX-License-Identifier: Apache-2.0
"""Files that list videos: one address a line, or rows with options in CSV, JSONL or Parquet."""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trireel_app.errors import InvalidOption
from trireel_app.sources.source import scheme_of
from trireel_client import AnalysisOptions

ADDRESS_COLUMNS = ("uri", "video", "path", "video_path")
OPTIONS = AnalysisOptions.__optional_keys__
LISTS = frozenset(("find", "tags", "descriptions"))
LIST_SEPARATOR = ";"
NUMBER_LISTS = frozenset(("crop", "crop_px"))
TEXTS = frozenset(("scenes",))


def uris_in(file: Path) -> Iterator[str]:
    """Yield the addresses in a text file, one a line; blank lines and `#` lines are skipped.

    A relative path is relative to the file's folder. Raises InvalidOption if it cannot be read.
    """
    for line in _text(file).splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield beside(file, line)


def rows_in(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield address and options of each row of a CSV, JSONL or Parquet file.

    The address is in the column `uri`, `video`, `path` or `video_path`. The other columns are
    options of the analysis; an empty cell leaves the option out.

    Raises:
        InvalidOption: if the file cannot be read, or a column or a value is not known.
    """
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".parquet": _parquet_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise InvalidOption(f"{str(file)!r} is no manifest: give a file *.csv, *.jsonl, *.parquet")
    for number, row in enumerate(reader(file), 1):
        yield _checked(file, number, row)


def beside(file: Path, name: str) -> str:
    """Return a name that a file holds: relative paths begin at the file's folder."""
    if scheme_of(name) or os.path.isabs(name):
        return name
    return os.path.join(os.path.dirname(os.path.abspath(file)), name)


def _checked(file: Path, number: int, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    cells = {name: value for name, value in row.items() if value is not None and value != ""}
    addresses = [str(cells.pop(name)) for name in ADDRESS_COLUMNS if name in cells]
    if len(addresses) != 1:
        raise InvalidOption(
            f"row {number} of {str(file)!r} has {len(addresses)} addresses: give one, in the column"
            f" {' or '.join(ADDRESS_COLUMNS)}"
        )
    unknown = sorted(cells.keys() - OPTIONS)
    if unknown:
        raise InvalidOption(
            f"row {number} of {str(file)!r} has {unknown[0]!r}: the options are"
            f" {', '.join(sorted(OPTIONS))}"
        )
    return beside(file, addresses[0]), {name: _value(name, value) for name, value in cells.items()}


def _value(name: str, value: Any) -> Any:
    """Return an option's value; cells of a CSV are text, and lists in them have semicolons."""
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple) else value
    if name in LISTS:
        return [part.strip() for part in value.split(LIST_SEPARATOR) if part.strip()]
    if name in TEXTS:
        return value
    parts = value.split(LIST_SEPARATOR) if name in NUMBER_LISTS else [value]
    try:
        values = [json.loads(part.strip().lower()) for part in parts]
    except ValueError as error:
        raise InvalidOption(f"{name} is {value!r}: give a number, true or false") from error
    return values if name in NUMBER_LISTS else values[0]


def _csv_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    for row in csv.DictReader(_text(file).splitlines()):
        if None in row:
            raise InvalidOption(f"a row of {str(file)!r} has more cells than the first line")
        yield row


def _json_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(_text(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidOption(f"line {number} of {str(file)!r} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise InvalidOption(f"line {number} of {str(file)!r} is no object: give {{...}}")
        yield row


def _parquet_rows(file: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        yield from pq.read_table(file).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InvalidOption(f"{str(file)!r} cannot be read as Parquet: {error}") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption(f"{str(file)!r} cannot be read as UTF-8 text: {error}") from error
