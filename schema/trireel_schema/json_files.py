# SPDX-License-Identifier: Apache-2.0
"""JSON files of an export, each with the version of its format."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from trireel_schema.errors import FileDamaged, FileMissing, FormatMismatch

EXPORT_AGAIN = "export the checkpoint again with trireel-export"
"""Advice at the end of an error message about a file of an export."""
Record = TypeVar("Record")


def write_json(values: Mapping[str, Any], path: Path) -> None:
    """Write values as JSON that people can read."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def read_json(
    path: Path, format_version: int, record: Callable[[Mapping[str, Any]], Record]
) -> Record:
    """Read a JSON file.

    Args:
        format_version: the only version that is read.
        record: makes the result; may raise KeyError, TypeError or ValueError.

    Raises:
        FileMissing: if there is no such file.
        FormatMismatch: if its format version is another one.
        FileDamaged: if it is not JSON, or a value is missing, of another type or out of range.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise TypeError(f"the file holds a {type(raw).__name__}, not an object")
        if raw.get("format_version") != format_version:
            raise FormatMismatch(
                f"{path} has format {raw.get('format_version')!r}, this version of Trireel reads"
                f" {format_version}: {EXPORT_AGAIN}"
            )
        return record(raw)
    except OSError as error:
        raise file_missing(path, error) from error
    except FormatMismatch:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise FileDamaged(f"{path} is not complete ({error!r}): {EXPORT_AGAIN}") from error


def file_missing(path: Path, error: OSError) -> FileMissing:
    """Return the error for a file of an export that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return FileMissing(f"{path} is not there: give the output folder of trireel-export")
    return FileMissing(f"{path} cannot be read: {error.strerror}")
