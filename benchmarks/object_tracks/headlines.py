# SPDX-License-Identifier: Apache-2.0
"""MOTA, and switches of ids in all videos together."""

from collections.abc import Iterator

from benchmarks.common.record import Goal, Headline, Raw, Run
from benchmarks.object_tracks.table import COMMAND

MOTA = Goal(0.9)
SWITCHES = Goal(2, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of each rate."""
    if report := raw.get("results.json"):
        figures = []
        for rate in report["rates"]:
            at = f"at {rate['fps']:g} frames a second"
            figures.append(Headline(f"MOTA {at}", rate["mota"], goal=MOTA, decimals=3))
            what = f"switches of ids {at}, in {len(rate['videos'])} videos"
            figures.append(Headline(what, rate["switches"], goal=SWITCHES, decimals=0))
        yield Run("Tracks of objects", COMMAND, report["machine"], tuple(figures))
