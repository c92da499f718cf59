# SPDX-License-Identifier: Apache-2.0
"""Full load with faults for as long as wanted: answers, and what is left of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.headlines import Goal, Headline, Run
from benchmarks.soak.table import COMMAND
from benchmarks.soak.verdict import checks, decoders_mib, others_mib

NONE = Goal(0, at_most=True)


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results.json says."""
    if (results := folder / "results.json").exists():
        report = json.loads(results.read_text())
        minutes = (report["plan"]["warm_up_seconds"] + report["plan"]["seconds"]) / 60
        title = f"{minutes:g} minutes of everything"
        command = COMMAND.format(minutes=minutes)
        yield Run(title, command, report["machine"], tuple(_verdict(report)))


def _verdict(report: dict[str, Any]) -> Iterator[Headline]:
    tally, found = report["tally"], checks(report)
    good = sum(tally["good"].values())
    faults = sum(sum(said.values()) for said in tally["faults"].values())
    what = f"Not as expected, of {good} good requests and {faults} faults"
    yield Headline(what, tally["wrong_count"], goal=NONE)
    failed = sum(not check.passed for check in found)
    yield Headline(f"Failed, of {len(found)} checks of what is left", failed, goal=NONE)
    for name, memory in (("but for the decoders", others_mib), ("of the decoders", decoders_mib)):
        before, after = (memory(report[when]) for when in ("before", "after"))
        what = f"Memory at rest after the load, {name}"
        yield Headline(what, after, "MiB", "after the warm-up", before)
