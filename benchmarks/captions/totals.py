# SPDX-License-Identifier: Apache-2.0
"""Sums of the raw numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.captions.score import Score, total
from benchmarks.common.counts import Counts

REGION, FOUND_REGION = "region", "found region"
Report = Mapping[str, Any]


def scores(report: Report, way: str, part: str = "", group: str = "") -> Score:
    """Return the sum over the videos of a part and a group; all if one is not given."""
    return total(
        _score(video)
        for key, video in report["videos"].items()
        if key.endswith(f", {way}") and key.startswith(part) and group in ("", video["group"])
    )


def groups(report: Report) -> list[str]:
    """Return the groups of videos."""
    return list(dict.fromkeys(video["group"] for video in report["videos"].values()))


def parts(report: Report) -> list[str]:
    """Return the parts, tune or test, with the sets in them: test-real."""
    return sorted({"-".join(key.split("-")[:2]) for key in report["videos"]})


def costs(report: Report, minutes: int) -> dict[str, Report]:
    """Return the costs of the ways to read a video of so many minutes."""
    prefix = f"{minutes} minutes, "
    return {
        key.removeprefix(prefix): cost
        for key, cost in report["cost"].items()
        if key.startswith(prefix)
    }


def lengths(report: Report) -> Iterator[int]:
    """Yield the lengths in minutes that were measured."""
    yield from sorted({int(key.split()[0]) for key in report["cost"]})


def _score(video: Report) -> Score:
    return Score(
        Counts(*video["extents"]),
        Counts(*video["exact"]),
        *(video[name] for name in ("exact_ends", "characters", "characters_found", "wrong")),
        video["false"],
    )
