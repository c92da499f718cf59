# SPDX-License-Identifier: Apache-2.0
"""Wrong answers, failed checks, and memory after the load."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.record import NO_MORE, Headline, Raw, Run
from benchmarks.soak.table import COMMAND, minutes
from benchmarks.soak.verdict import checks, decoders_mib, others_mib


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the run."""
    if report := raw.get("results.json"):
        length = minutes(report)
        title, command = f"{length:g} minutes of everything", COMMAND.format(minutes=length)
        yield Run(title, command, report["machine"], tuple(_verdict(report)))


def _verdict(report: dict[str, Any]) -> Iterator[Headline]:
    tally, found = report["tally"], checks(report)
    good = sum(tally["good"].values())
    faults = sum(sum(statuses.values()) for statuses in tally["faults"].values())
    what = f"Not as expected, of {good} good requests and {faults} faults"
    yield Headline(what, tally["wrong_count"], goal=NO_MORE)
    failed = sum(not check.passed for check in found)
    yield Headline(f"Failed, of {len(found)} checks", failed, goal=NO_MORE)
    for name, memory in (("without the decoders", others_mib), ("of the decoders", decoders_mib)):
        before, after = (memory(report[when]) for when in ("before", "after"))
        what = f"Memory at rest after the load, {name}"
        yield Headline(what, after, "MiB", "after the warm-up", before)
