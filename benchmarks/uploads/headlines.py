# SPDX-License-Identifier: Apache-2.0
"""Memory, loss and delay of uploads and their listeners."""

from collections.abc import Iterator

from benchmarks.common.record import NO_MORE, Goal, Headline, Raw, Run
from benchmarks.uploads.table import COMMAND

MOST_MIB = Goal(200, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the run."""
    report = raw.get("results.json")
    if not report:
        return
    yield Run("Uploads", COMMAND, report["machine"], tuple(_headlines(report)))


def _headlines(report: Raw) -> Iterator[Headline]:
    if large := report.get("large"):
        what = f"memory of the gateway, {large['size_bytes'] / 1e9:g} GB with {large['cuts']} cuts"
        yield Headline(what, large["gateway_most_mib"], "MiB", goal=MOST_MIB)
        yield Headline("files that differ", 0 if large["is_equal"] else 1, goal=NO_MORE)
    if many := report.get("parallel"):
        what = f"files that differ of {many['uploads']} sent at once"
        yield Headline(what, many["uploads"] - many["equal"], goal=NO_MORE)
    if heard := report.get("listeners"):
        what = f"listeners of {heard['listeners']} that missed an event"
        yield Headline(what, heard["listeners"] - heard["got_all"], goal=NO_MORE)
        yield Headline("delay of an event, p50", heard["late_p50_ms"], "ms")
    if killed := report.get("kills"):
        lost = killed["accepted"] - sum(killed["ended"].get(each, 0) for each in ("done", "failed"))
        yield Headline("accepted videos without an end after kills", lost, goal=NO_MORE)
