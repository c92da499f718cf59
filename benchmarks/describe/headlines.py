# SPDX-License-Identifier: Apache-2.0
"""Latency of a description, and tokens a second beside transformers alone."""

from collections.abc import Iterator

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.describe.table import COMMAND

SHARE = Goal(0.9)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of each level."""
    if report := raw.get("results.json"):
        figures = []
        for level in report["levels"]:
            at = f"at concurrency {level['concurrency']}"
            p50 = f"p50 of a description {at}, ms"
            figures.append(Headline(p50, level["served"]["p50_ms"], decimals=0))
            goal = SHARE if level["concurrency"] > 1 else None
            what = f"tokens a second {at}, as a share of transformers alone"
            figures.append(Headline(what, level["share"], goal=goal, decimals=2))
        yield Run("Descriptions", COMMAND, report["machine"], tuple(figures))
