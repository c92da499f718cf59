# SPDX-License-Identifier: Apache-2.0
"""The engines of the tower on a CPU, beside onnxruntime in fp32."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cpu_engines.table import FILES, FIRST, cells, command, machine, medians
from benchmarks.headlines import Goal, Headline, Run
from trireel_backend.towers.runtimes import TOWER_ENGINES
from trireel_schema.gate import LEAST_COSINE, MOST_APART

BATCH = 16  # a chunk
MIB = 2**20


def runs(folder: Path) -> Iterator[Run]:
    """Yield what the file of each tower says."""
    for name in FILES:
        if (file := folder / name).exists():
            report = json.loads(file.read_text())
            export = report["export"]
            checkpoint = Path(export["checkpoint"]).name
            title = f"The tower on a CPU: {checkpoint}, {export['image_size_px']} px"
            found = (*_engines(report), *_memory(report))
            yield Run(title, command(name), machine(report), found)


def _engines(report: dict[str, Any]) -> Iterator[Headline]:
    most = max(cell["threads"] for cell in cells(report))
    chunk = {
        cell["variant"]: cell
        for cell in cells(report)
        if (cell["threads"], cell["batch"]) == (most, BATCH)
    }
    for name in TOWER_ENGINES[1:]:
        rates = (chunk[engine]["frames_per_second"] for engine in (name, FIRST))
        what = f"{name}, batches of {BATCH}, {most} threads"
        yield Headline(what, next(rates), "frames/s", FIRST, next(rates))
        cosine = chunk[name]["worst_cosine"]
        beside = "the checkpoint's own"
        yield Headline(
            f"{name}: worst cosine", cosine, beside=beside, goal=Goal(LEAST_COSINE), decimals=7
        )
        apart = max(cell["apart_from_alone"] for cell in cells(report) if cell["variant"] == name)
        goal = Goal(MOST_APART, at_most=True)
        what = f"{name}: an embedding in a batch, its distance"
        yield Headline(what, apart, beside="the same alone", goal=goal, decimals=8)


def _memory(report: dict[str, Any]) -> Iterator[Headline]:
    """Yield what slices of a chunk take, beside the largest batch at once."""
    rows = {
        row["rows_at_once"]: row["peak_rss_bytes"] / MIB
        for row in medians(report["parts"]["slices"], ("variant", "rows_at_once"))
        if row["variant"] == FIRST
    }
    if BATCH in rows:
        what = f"Memory for 128 frames, {BATCH} at a time"
        yield Headline(what, rows[BATCH], "MiB", f"{max(rows)} at once", rows[max(rows)])
