# SPDX-License-Identifier: Apache-2.0
"""The vision tower in every engine that a CPU has, beside onnxruntime."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cpu_engines.table import FILES, FIRST, cells, command
from benchmarks.headlines import Goal, Headline, Run
from trireel_export.precision import Precision

BATCH = 16
"""A chunk's frames."""
LEAST_COSINE = {False: Precision.FP32.least_cosine, True: Precision.BF16.least_cosine}
"""By whether an engine computes in bf16."""


def runs(folder: Path) -> Iterator[Run]:
    """Yield what tiny.json and base.json say."""
    for name in FILES:
        if (results := folder / name).exists():
            report = json.loads(results.read_text())
            title = f"Engines on the CPU: {report['export']['checkpoint']}"
            yield Run(title, command(name), report["machine"], tuple(_engines(report)))


def _engines(report: dict[str, Any]) -> Iterator[Headline]:
    threads = max(cell["threads"] for cell in cells(report))
    found = {
        cell["variant"]: cell
        for cell in cells(report)
        if (cell["batch"], cell["threads"]) == (BATCH, threads)
    }
    usual = found[FIRST]["frames_per_second"]
    for name, cell in found.items():
        if name != FIRST:
            what = f"{name}, batches of {BATCH}, {threads} threads"
            yield Headline(what, cell["frames_per_second"], "frames/s", FIRST, usual)
        what, goal = f"{name}: cosine of the worst picture", Goal(LEAST_COSINE["bf16" in name])
        beside = "the checkpoint in fp32"
        yield Headline(what, cell["worst_cosine"], beside=beside, goal=goal, decimals=6)
