# SPDX-License-Identifier: Apache-2.0
"""Shares of right and invented citations."""

from collections.abc import Iterator

from benchmarks.chat.table import COMMAND
from benchmarks.common.record import NO_MORE, Goal, Headline, Raw, Run

MOSTLY = Goal(0.9)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the run."""
    report = raw.get("results.json")
    if not report:
        return
    ways = {name: way["totals"] for name, way in report["ways"].items()}
    figures: list[Headline] = []
    for name, found in ways.items():
        right = found["citations_right"] / max(1, found["citations"])
        figures += [
            Headline(f"{name}: citations in a scene that answers", right, goal=MOSTLY, decimals=3),
            Headline(
                f"{name}: first citation in a scene that answers",
                found["first_right"] / found["answerable"],
                goal=MOSTLY,
                decimals=3,
            ),
            Headline(
                f"{name}: questions about absent scenes that are declined",
                found["absent_declined"] / found["absent"],
                goal=MOSTLY,
                decimals=3,
            ),
            Headline(
                f"{name}: invented citations that a reader sees", found["invented"], goal=NO_MORE
            ),
        ]
    yield Run("Chat", COMMAND, report["machine"], tuple(figures))
