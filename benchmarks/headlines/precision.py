# SPDX-License-Identifier: Apache-2.0
"""Reduced precision through the export's gate, and the two forms of attention."""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.headlines import Goal, Headline, Run
from benchmarks.precision.table import COMMAND
from trireel_export.siglip.precision import least_cosine
from trireel_schema.precision import Precision


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results.json says."""
    if (results := folder / "results.json").exists():
        report = json.loads(results.read_text())
        found = (*map(_gate, report["gates"]), *_forms(report["forms"]))
        yield Run("Precision", COMMAND, report["machine"], found)


def _gate(gate: dict[str, Any]) -> Headline:
    what = f"{gate['checkpoint']}, {gate['precision']}: cosine of the worst of 42 pictures"
    goal = Goal(least_cosine(Precision(gate["precision"])))
    refused = gate["worst_cosine"] is None
    beside = "refused by the gate" if refused else "the checkpoint's own processor and PyTorch"
    return Headline(what, gate["worst_cosine"], beside=beside, goal=goal, decimals=7)


def _forms(forms: list[dict[str, Any]]) -> Iterator[Headline]:
    """Yield each form of attention but the first of a checkpoint, beside that first."""
    first: dict[str, tuple[str, float]] = {}
    for form in forms:
        median = statistics.median(form["cpu_ms_per_frame"])
        name, usual = first.setdefault(form["checkpoint"], (form["form"], median))
        if form["form"] != name:
            what = f"{form['checkpoint']}, attention as {form['form']}"
            yield Headline(what, median, "CPU-ms a frame", name, usual)
