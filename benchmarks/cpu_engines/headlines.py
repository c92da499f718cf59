# SPDX-License-Identifier: Apache-2.0
"""The runtimes of the tower on a CPU beside onnxruntime in fp32."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.pages import MIB
from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.cpu_engines.table import FILES, FIRST, cells, command, machine, medians
from trireel_backend.towers.runtimes import TOWER_RUNTIMES
from trireel_schema.gate import LEAST_COSINE, MOST_APART

BATCH = 16  # a chunk


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of each tower."""
    for file in FILES:
        if report := raw.get(file):
            export = report["export"]
            checkpoint = Path(export["checkpoint"]).name
            title = f"The tower on a CPU: {checkpoint}, {export['image_size_px']} px"
            found = (*_engines(report), *_memory(report))
            yield Run(title, command(file), machine(report), found)


def _engines(report: dict[str, Any]) -> Iterator[Headline]:
    found = cells(report)
    threads = max(cell["threads"] for cell in found)
    chunk = {
        cell["variant"]: cell
        for cell in found
        if (cell["threads"], cell["batch"]) == (threads, BATCH)
    }
    for name in TOWER_RUNTIMES[1:]:
        rate, usual = (chunk[engine]["frames_per_second"] for engine in (name, FIRST))
        what = f"{name}, batches of {BATCH}, {threads} threads"
        yield Headline(what, rate, "frames/s", FIRST, usual)
        cosine, goal = chunk[name]["worst_cosine"], Goal(LEAST_COSINE)
        beside = "the checkpoint's own"
        yield Headline(f"{name}: worst cosine", cosine, beside=beside, goal=goal, decimals=7)
        apart = max(cell["apart_from_alone"] for cell in found if cell["variant"] == name)
        what, goal = f"{name}: an embedding in a batch, its distance", Goal(MOST_APART, True)
        yield Headline(what, apart, beside="the same alone", goal=goal, decimals=8)


def _memory(report: dict[str, Any]) -> Iterator[Headline]:
    """Yield the memory of a large batch in slices of a chunk, beside the whole batch at once."""
    rows = {
        row["rows_at_once"]: row["peak_rss_bytes"] / MIB
        for row in medians(report["parts"]["slices"], ("variant", "rows_at_once"))
        if row["variant"] == FIRST
    }
    if BATCH in rows:
        what = f"Memory for 128 frames, {BATCH} at a time"
        yield Headline(what, rows[BATCH], "MiB", f"{max(rows)} at once", rows[max(rows)])
