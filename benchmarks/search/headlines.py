# SPDX-License-Identifier: Apache-2.0
"""Recall and time of a search by the index."""

from collections.abc import Iterator

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.search.table import COMMAND

LEAST_RECALL = Goal(0.98)
MOST_MS = Goal(40, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the run."""
    report = raw.get("results.json")
    if not report:
        return
    frames = report["added"]["frames"]
    searches = {one["search"]: one for one in report["searches"]}
    index = searches["index"]
    yield Run(
        "Search over moments",
        COMMAND,
        report["machine"],
        (
            Headline(
                f"recall@20 of {frames} frames against an exact scan",
                index["recall"],
                goal=LEAST_RECALL,
                decimals=4,
            ),
            Headline(f"search of {frames} frames, p50", index["p50_ms"], "ms", goal=MOST_MS),
            Headline(
                "the same, CPU of all threads",
                index["cpu_p50_ms"],
                "ms",
                "NumPy, which compares all frames",
                searches["NumPy, all frames"]["cpu_p50_ms"],
            ),
            Headline("search, grouped to moments, p50", searches["moments"]["p50_ms"], "ms"),
        ),
    )
