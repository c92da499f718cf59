# SPDX-License-Identifier: Apache-2.0
"""More clients than a server takes in: what that is to those it has."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.headlines import Goal, Headline, Run
from benchmarks.past_capacity.table import Row, command, rows

FULL_CLIENTS = 64
"""None of them is refused; all places are taken."""
RATE = Goal(0.95)
"""Of the throughput with 64 clients."""
FLAT = Goal(1.5, at_most=True)
"""p99 over p50 of those that are let in."""
SLOWER = Goal(1.2, at_most=True)
"""p50 of those that are let in, over that of 64 clients."""


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results.json says."""
    if (results := folder / "results.json").exists():
        report = json.loads(results.read_text())
        found = {row.clients: row for row in rows(report)}
        headlines = tuple(_past(found[max(found)], found[FULL_CLIENTS]))
        yield Run("Past capacity", command(report), report["machine"], headlines)


def _past(most: Row, full: Row) -> Iterator[Headline]:
    beside, what = f"{full.clients} clients", f"{most.clients} clients"
    yield Headline(f"{what}: throughput", most.rate, "videos/s", beside, full.rate, RATE)
    yield Headline(f"{what}: p50 of those let in", most.p50_ms, "ms", beside, full.p50_ms, SLOWER)
    yield Headline(f"{what}: p99 over p50 of those let in", most.p99_ms / most.p50_ms, goal=FLAT)
    yield Headline(f"{what}: a refusal, p99", most.refusal_p99_ms, "ms")
    memory = most.most_pss_mib, "MiB", beside, full.most_pss_mib
    yield Headline(f"{what}: the most memory", *memory)
    yield Headline(f"{what}: failures", most.failures, goal=Goal(0, at_most=True))
