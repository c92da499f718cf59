# SPDX-License-Identifier: Apache-2.0
"""A test's report: one page for people, JSON with everything, CSV with a row a level."""

import json
import tempfile
from pathlib import Path

from trireel_client.load_test.errors import InvalidPlan
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.show.report.data import levels_csv, result_to_json
from trireel_client.load_test.show.report.page import render

PAGE, DATA, LEVELS = "report.html", "results.json", "levels.csv"


def check_folder(folder: Path) -> None:
    """Make a report's folder and check, before the test, that its files can be written.

    Raises:
        InvalidPlan: if they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for path in (folder / name for name in (PAGE, DATA, LEVELS)):
            if path.exists():
                path.open("ab").close()  # the old file stays until the test has ended
    except OSError as error:
        raise InvalidPlan(
            f"no report can be written to {str(folder)!r}: {error.strerror}"
        ) from error


def write_report(folder: Path, result: TestResult, *, with_samples: bool) -> Path:
    """Write the report's files into an existing folder, and return the page's path."""
    data = json.dumps(result_to_json(result, with_samples=with_samples), indent=1)
    _write(folder / DATA, data + "\n")
    _write(folder / LEVELS, levels_csv(result.summaries))
    _write(folder / PAGE, render(result))
    return folder / PAGE


def _write(path: Path, text: str) -> None:
    # A file's name may not be UTF-8; the CSV has line ends of its own.
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
