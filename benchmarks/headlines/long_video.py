# SPDX-License-Identifier: Apache-2.0
"""Videos of minutes and of hours: time that grows with their length, memory that does not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.headlines import Goal, Headline, Run
from benchmarks.long_video.table import COMMAND

SHORT_MINUTES = 10
"""What the longest video is compared with; a shorter one is over before it is warm."""
LINEAR = Goal(1.1, at_most=True)
"""Seconds a minute of video, over those of the short one."""
FLAT = Goal(1.1, at_most=True)
"""The most memory, over that of the short one."""


def runs(folder: Path) -> Iterator[Run]:
    """Yield what results.json says."""
    if (results := folder / "results.json").exists():
        report = json.loads(results.read_text())
        yield Run("Long videos", COMMAND, report["machine"], tuple(_lengths(report["runs"])))


def _lengths(found: list[dict[str, Any]]) -> Iterator[Headline]:
    by_size = {(run["minutes"], run["extractors"]): run for run in found}
    longest, beside = max(run["minutes"] for run in found), f"{SHORT_MINUTES} minutes"
    for minutes, extractors in by_size:
        short = by_size.get((SHORT_MINUTES, extractors))
        if minutes != longest or short is None or longest == SHORT_MINUTES:
            continue
        long = by_size[minutes, extractors]
        what = f"{minutes} minutes of video, {extractors} extractor{'s' * (extractors > 1)}"
        seconds, usual = (run["wall_seconds"] / run["minutes"] for run in (long, short))
        yield Headline(f"{what}: time", seconds, "s a minute of video", beside, usual, LINEAR)
        most, usual = (max(run["pss_mib"]) for run in (long, short))
        yield Headline(f"{what}: the most memory", most, "MiB", beside, usual, FLAT)
