# SPDX-License-Identifier: Apache-2.0
"""The largest number of clients beside the largest that is fully accepted."""

from collections.abc import Iterator

from benchmarks.common.record import NO_MORE, Goal, Headline, Raw, Run
from benchmarks.past_capacity.table import Row, command, rows

FULL_CLIENTS = 64
"""Number of clients that fills the server without a rejection."""
RATE = Goal(0.95)
"""Throughput, divided by that with 64 clients."""
SPREAD = Goal(1.5, at_most=True)
"""p99 divided by p50 of the accepted requests."""
SLOWER = Goal(1.2, at_most=True)
"""p50 of the accepted requests, divided by that with 64 clients."""


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the largest number of clients."""
    if report := raw.get("results.json"):
        found = {row.clients: row for row in rows(report)}
        figures = tuple(_past(found[max(found)], found[FULL_CLIENTS]))
        yield Run("Past capacity", command(report), report["machine"], figures)


def _past(most: Row, full: Row) -> Iterator[Headline]:
    beside, what = f"{full.clients} clients", f"{most.clients} clients"
    yield Headline(f"{what}: throughput", most.rate, "videos/s", beside, full.rate, RATE)
    yield Headline(f"{what}: p50 of accepted", most.p50_ms, "ms", beside, full.p50_ms, SLOWER)
    yield Headline(f"{what}: p99 over p50 of accepted", most.p99_ms / most.p50_ms, goal=SPREAD)
    yield Headline(f"{what}: a rejection, p99", most.rejection_p99_ms, "ms")
    memory = most.most_pss_mib, "MiB", beside, full.most_pss_mib
    yield Headline(f"{what}: the most memory", *memory)
    yield Headline(f"{what}: failures", most.failures, goal=NO_MORE)
