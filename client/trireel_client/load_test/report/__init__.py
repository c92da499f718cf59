# SPDX-License-Identifier: Apache-2.0
"""A test's report: one page for people, JSON with everything, CSV with a row a level."""

import json
from pathlib import Path

from trireel_client.load_test.report.data import levels_csv, result_to_json
from trireel_client.load_test.report.page import render
from trireel_client.load_test.session import TestResult

PAGE, DATA, LEVELS = "report.html", "results.json", "levels.csv"


def write_report(folder: Path, result: TestResult, *, with_samples: bool) -> Path:
    """Write the report's files into a folder that is there, and return the page's path."""
    data = json.dumps(result_to_json(result, with_samples=with_samples), indent=1)
    (folder / DATA).write_text(data + "\n", encoding="utf-8")
    (folder / LEVELS).write_text(levels_csv(result.summaries), encoding="utf-8", newline="")
    (folder / PAGE).write_text(render(result), encoding="utf-8")
    return folder / PAGE
