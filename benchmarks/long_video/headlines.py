# SPDX-License-Identifier: Apache-2.0
"""The longest video beside one of ten minutes: linear time, flat memory."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.record import FLAT, LINEAR, Headline, Raw, Run
from benchmarks.long_video.table import COMMAND

SHORT_MINUTES = 10
"""Length of the video for comparison; a shorter one ends before the server is warm."""


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the longest video."""
    if report := raw.get("results.json"):
        yield Run("Long videos", COMMAND, report["machine"], tuple(_lengths(report["runs"])))


def _lengths(runs: list[dict[str, Any]]) -> Iterator[Headline]:
    by_size = {(run["minutes"], run["extractors"]): run for run in runs}
    longest, beside = max(run["minutes"] for run in runs), f"{SHORT_MINUTES} minutes"
    for (minutes, extractors), long in by_size.items():
        short = by_size.get((SHORT_MINUTES, extractors))
        if minutes != longest or short is None or longest == SHORT_MINUTES:
            continue
        what = f"{minutes} minutes of video, {extractors} extractor{'s' * (extractors > 1)}"
        seconds, usual = (run["wall_seconds"] / run["minutes"] for run in (long, short))
        yield Headline(f"{what}: time", seconds, "s a minute of video", beside, usual, LINEAR)
        most, usual = (max(run["pss_mib"]) for run in (long, short))
        yield Headline(f"{what}: the most memory", most, "MiB", beside, usual, FLAT)
