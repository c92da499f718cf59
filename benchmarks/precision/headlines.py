# SPDX-License-Identifier: Apache-2.0
"""Cosines of the gate, and the two forms of attention."""

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.precision.table import COMMAND
from trireel_export.siglip.precision import least_cosine
from trireel_schema.precision import Precision


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of all exports."""
    if report := raw.get("results.json"):
        found = (*map(_gate, report["gates"]), *_forms(report["forms"]))
        yield Run("Precision", COMMAND, report["machine"], found)


def _gate(gate: dict[str, Any]) -> Headline:
    what = f"{gate['checkpoint']}, {gate['precision']}: cosine of the worst of 42 pictures"
    goal = Goal(least_cosine(Precision(gate["precision"])))
    rejected = gate["worst_cosine"] is None
    beside = "rejected by the gate" if rejected else "the checkpoint's own processor and PyTorch"
    return Headline(what, gate["worst_cosine"], beside=beside, goal=goal, decimals=7)


def _forms(forms: list[dict[str, Any]]) -> Iterator[Headline]:
    """Yield every other form of attention beside the first one of the same checkpoint."""
    first: dict[str, tuple[str, float]] = {}
    for form in forms:
        median = statistics.median(form["cpu_ms_per_frame"])
        name, usual = first.setdefault(form["checkpoint"], (form["form"], median))
        if form["form"] != name:
            what = f"{form['checkpoint']}, attention as {form['form']}"
            yield Headline(what, median, "CPU-ms a frame", name, usual)
